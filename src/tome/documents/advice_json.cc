#include "tome/documents/advice_json.h"

#include <nlohmann/json.hpp>

#include <cstdint>

#include "tome/base/error.h"

namespace tome {
namespace {

using nlohmann::json;

template <typename Enum>
Enum EnumOf(const json& value, Enum last) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > static_cast<uint64_t>(last)) {
    throw Error(Code::kCorrupt, "the reader's answer has advice of an unknown kind");
  }
  return static_cast<Enum>(value.get<uint64_t>());
}

}  // namespace

json AdviceToJson(const std::vector<Advice>& advice) {
  json all = json::array();
  for (const Advice& one : advice) {
    all.push_back(json::array({static_cast<uint64_t>(one.kind), static_cast<uint64_t>(one.setting),
                               one.value, one.effect, one.subject}));
  }
  return all;
}

std::vector<Advice> AdviceFromJson(const json& all) {
  std::vector<Advice> advice;
  for (const json& one : all) {
    advice.push_back({.kind = EnumOf(one.at(0), Advice::kLastKind),
                      .setting = EnumOf(one.at(1), kLastSetting),
                      .value = one.at(2).get<std::string>(),
                      .effect = one.at(3).get<std::string>(),
                      .subject = one.at(4).get<std::string>()});
  }
  return advice;
}

}  // namespace tome
