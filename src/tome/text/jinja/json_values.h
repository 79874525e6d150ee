// JSON in and out of a template.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tome/text/jinja/arguments.h"
#include "tome/text/jinja/heap.h"
#include "tome/text/jinja/value.h"

namespace tome::jinja {

// Converts parsed JSON to a value and marks all of it with `origin`. Throws Error(kInvalidArgument)
// for text that is not UTF-8 and for integers beyond 64 bits, Error(kOutOfMemory) past
// kMaxValueDepth.
Value FromJson(Heap& heap, const nlohmann::ordered_json& json, Origin origin);

// The filter tojson as transformers defines it: json.dumps(value, ensure_ascii=False, indent=None,
// separators=None, sort_keys=False). Brackets and commas have the origin of their list or dict.
Value ToJsonFilter(Interpreter& interpreter, const Value& input, const Arguments& arguments);

}  // namespace tome::jinja
