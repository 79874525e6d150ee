#include "tome/kernels/kernel_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/expect_error.h"
#include "tests/scoped_environment.h"

namespace tome {
namespace {

using testing::HasSubstr;

TEST(KernelSetTest, TheGenericSetIsAlwaysThereAndLastAndNamesAreUnique) {
  const auto sets = AvailableKernelSets();
  ASSERT_FALSE(sets.empty());
  EXPECT_EQ(sets.back()->name, "generic");
  std::set<std::string_view> names;
  for (const KernelSet* set : sets) EXPECT_TRUE(names.insert(set->name).second) << set->name;
}

TEST(KernelSetTest, SelectsTheBestWithoutAWish) {
  for (const char* wish : {static_cast<const char*>(nullptr), ""}) {
    const ScopedEnvironment forced("TOME_KERNELS", wish);
    EXPECT_EQ(&SelectKernelSet(), AvailableKernelSets().front());
  }
}

TEST(KernelSetTest, SelectsEveryAvailableSetByName) {
  for (const KernelSet* set : AvailableKernelSets()) {
    const ScopedEnvironment forced("TOME_KERNELS", std::string(set->name));
    EXPECT_EQ(&SelectKernelSet(), set);
  }
}

TEST(KernelSetTest, RefusesAnUnknownNameAndListsThoseItHas) {
  for (const char* name : {"quantum", "Generic", "generic ", "gener"}) {
    const ScopedEnvironment forced("TOME_KERNELS", name);
    EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { SelectKernelSet(); })) << name;
    const std::string text = ErrorText([] { SelectKernelSet(); });
    EXPECT_THAT(text, HasSubstr(std::string("TOME_KERNELS=") + name));
    for (const KernelSet* set : AvailableKernelSets()) {
      EXPECT_THAT(text, HasSubstr("it has: "));
      EXPECT_THAT(text.substr(text.find("it has: ")), HasSubstr(std::string(set->name)));
    }
  }
}

}  // namespace
}  // namespace tome
