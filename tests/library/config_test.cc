#include "tome/library/config.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace tome {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Config Parsed(std::string_view toml) { return ParseConfig(toml, "config.toml"); }

std::string ParseError(std::string_view toml) {
  return ErrorText([&] { Parsed(toml); });
}

TEST(ConfigTest, ReadsWhatIsWrittenByHand) {
  const Config config = Parsed(
      "# mine\ndefault_model = 'qwen 3'\n[models]\nsmol = \"models/smol.gguf\"  # small\n"
      "\"qwen 3\" = '/m/q.gguf'\n");
  EXPECT_EQ(config.default_model, "qwen 3");
  EXPECT_EQ(config.models.at("smol"), "models/smol.gguf");
  EXPECT_EQ(config.models.at("qwen 3"), "/m/q.gguf");
  EXPECT_EQ(Parsed(""), Config());
  EXPECT_EQ(Parsed("models.a = \"b\"").models.at("a"), "b");
}

TEST(ConfigTest, GivesBackWhatItWrote) {
  const Config config{.default_model = "千问 3",
                      .default_embedder = "it's",
                      .models = {{"千问 3", "/模型/Qwen3 \"0.6B\".gguf"},
                                 {"a.b'c\\", "/m/\n\t\x1b\x7f'''\"\"\"\\"},
                                 {"it's", "/m"},
                                 {"ﻼ", "/ﻼ"},
                                 {"#", "relative"}}};
  EXPECT_EQ(Parsed(ToToml(config)), config);
  EXPECT_EQ(Parsed(ToToml({})), Config());
}

TEST(ConfigTest, SaysWhereAMistakeStands) {
  EXPECT_THAT(
      ParseError("\ndefault_modell = 'a'\n"),
      StartsWith("corrupt: config.toml: line 2, column 1: there is no setting "
                 "\"default_modell\"; there are default_model, default_embedder and [models]"));
  EXPECT_THAT(ParseError("default_model = 3"), HasSubstr("line 1, column 17: default_model is to"));
  EXPECT_THAT(ParseError("default_model = 'a'\n[models]\nb = 'c'"),
              HasSubstr("line 1, column 17: default_model is \"a\", which is not under [models]"));
  EXPECT_THAT(ParseError("default_embedder = 'a'\n[models]\nb = 'c'"),
              HasSubstr("line 1, column 20: default_embedder is \"a\", which is not under"));
  EXPECT_THAT(ParseError("models = 1"), HasSubstr("line 1, column 1: models is to be a table"));
  EXPECT_THAT(ParseError("[models]\na = ['b']"), HasSubstr("line 2, column 5: a is to be a text"));
  EXPECT_THAT(ParseError("[models]\na = ''"), HasSubstr("line 2, column 5: a has no path"));
  EXPECT_THAT(ParseError("[models]\na = 'b'\na = 'c'"), HasSubstr("line 3, column "));
  EXPECT_THAT(ParseError("[models\n"), HasSubstr("line 1, column 8: "));
  EXPECT_THAT(ParseError("[models]\na = \"\xff\""), HasSubstr("line 2, column "));
  // On these texts toml++ itself aborts; in a release build its behaviour is undefined.
  EXPECT_THAT(ParseError("# 设置\n  [=]\n"), HasSubstr("line 2, column 4: this is not TOML"));
  EXPECT_THAT(ParseError("a ﻼ = 1"), HasSubstr("line 1, column 3"));
  for (const char* name : {"", "a/b", "-a", "a\\u0007"}) {
    EXPECT_THAT(ParseError("[models]\n\"" + std::string(name) + "\" = 'c'"),
                HasSubstr("line 2, column 1: no model can go by such a name"));
  }
}

TEST(ConfigTest, RefusesWhatTomlCannotHold) {
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { ToToml({{}, {}, {{"a", "/caf\xe9"}}}); }));
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [] { ToToml({{}, {}, {{"a/b", "/m"}}}); }));
}

TEST(ConfigTest, IsEmptyWhereNothingWasSet) {
  const TempFolder folder;
  EXPECT_EQ(ReadConfig(folder.path()), Config());
  EXPECT_EQ(ReadConfig(folder / "none"), Config());
}

TEST(ConfigTest, RelativePathsBeginAtItsFolder) {
  const TempFolder folder;
  folder.Write("config.toml", "[models]\na = 'models/a.gguf'\nb = '/m/b.gguf'\n");
  const Config config = ReadConfig(folder.path());
  EXPECT_EQ(config.models.at("a"), folder / "models/a.gguf");
  EXPECT_EQ(config.models.at("b"), "/m/b.gguf");
}

TEST(ConfigTest, KeepsTheFileThatCannotBeRead) {
  const TempFolder folder;
  const auto file = folder.Write("config.toml", "[models]\na = 1\n");
  EXPECT_THAT(ErrorText([&] { ChangeConfig(folder.path(), [](Config&) {}); }),
              StartsWith("corrupt: " + file.string() + ": line 2"));
  EXPECT_EQ(FileBytes(file), "[models]\na = 1\n");
  EXPECT_TRUE(Fails(Code::kInvalidArgument, [&] {
    folder.Write("config.toml", "");
    ChangeConfig(folder.path(), [](Config& config) { config.models["/"] = "a"; });
  }));
  EXPECT_EQ(FileBytes(file), "");
}

TEST(ConfigTest, NoChangeOfSeveralAtOnceIsLost) {
  const TempFolder folder;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      ChangeConfig(folder / "home",
                   [i](Config& config) { config.models["m" + std::to_string(i)] = "/m"; });
    });
  }
  threads.clear();
  EXPECT_EQ(ReadConfig(folder / "home").models.size(), 8U);
}

}  // namespace
}  // namespace tome
