// Items, slices and iteration of lists, texts and dicts.
#include <fmt/format.h>

#include <algorithm>

#include "tome/text/jinja/failure.h"
#include "tome/text/jinja/operators.h"
#include "tome/text/unicode.h"

namespace tome::jinja {
namespace {

// Returns the byte offset of code point number `index`, or of the end.
uint64_t OffsetOf(std::string_view utf8, int64_t index) {
  uint64_t offset = 0;
  while (index-- > 0 && offset < utf8.size()) NextCodePoint(utf8, offset);
  return offset;
}

int64_t SliceIndex(const Value& value) {
  RequireDefined(value);
  if (value.Is<int64_t>()) return value.As<int64_t>();
  if (value.Is<bool>()) return value.As<bool>() ? 1 : 0;
  Fail(fmt::format("slices are cut at ints, not at a {}", TypeName(value)));
}

struct SliceBounds {
  int64_t begin = 0;
  int64_t count = 0;
  int64_t step = 1;
};

// Returns the bounds of slice(begin, end, step).indices(length) in Python.
SliceBounds BoundsOf(int64_t length, const Value* begin, const Value* end, const Value* step) {
  const auto is_given = [](const Value* value) { return value != nullptr && !value->Is<None>(); };
  SliceBounds bounds;
  if (is_given(step)) bounds.step = SliceIndex(*step);
  if (bounds.step == 0) Fail("a slice with step 0");
  const bool forward = bounds.step > 0;
  const int64_t lowest = forward ? 0 : -1;
  const int64_t highest = forward ? length : length - 1;
  const auto clamp = [&](const Value* value, int64_t fallback) {
    if (!is_given(value)) return fallback;
    const int64_t index = SliceIndex(*value);
    return std::clamp(index < 0 ? index + length : index, lowest, highest);
  };
  bounds.begin = clamp(begin, forward ? lowest : highest);
  const int64_t stop = clamp(end, forward ? highest : lowest);
  const int64_t distance = forward ? stop - bounds.begin : bounds.begin - stop;
  if (distance > 0) {
    // The magnitude is unsigned because the most negative step has no positive counterpart.
    const uint64_t stride = forward ? static_cast<uint64_t>(bounds.step)
                                    : uint64_t{0} - static_cast<uint64_t>(bounds.step);
    bounds.count = static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride) + 1;
  }
  return bounds;
}

Value SliceText(Heap& heap, const MarkedText& text, const Value* begin, const Value* end,
                const Value* step) {
  heap.Scan(2 * text.size());
  const std::string_view utf8 = text.text();
  const auto length = static_cast<int64_t>(CountCodePoints(utf8));
  const SliceBounds bounds = BoundsOf(length, begin, end, step);
  if (bounds.count == 0) return heap.NewText(MarkedText());
  if (bounds.step == 1) {
    const uint64_t first = OffsetOf(utf8, bounds.begin);
    const uint64_t last = first + OffsetOf(utf8.substr(first), bounds.count);
    heap.Charge(last - first);
    return heap.NewText(text.Slice(first, last));
  }
  heap.Charge((static_cast<uint64_t>(length) + 1) * sizeof(uint64_t));
  std::vector<uint64_t> offsets{0};
  for (uint64_t at = 0; at < utf8.size(); offsets.push_back(at)) NextCodePoint(utf8, at);
  MarkedText out;
  int64_t index = bounds.begin;
  for (int64_t i = 0; i < bounds.count; ++i) {
    if (i > 0) index += bounds.step;
    out.Append(text, offsets[static_cast<size_t>(index)], offsets[static_cast<size_t>(index) + 1]);
  }
  return heap.NewText(std::move(out));
}

}  // namespace

Value Slice(Heap& heap, const Value& object, const Value* begin, const Value* end,
            const Value* step) {
  RequireDefined(object);
  if (const MarkedText* text = object.text()) return SliceText(heap, *text, begin, end, step);
  const List* list = object.list();
  if (list == nullptr) Fail(fmt::format("a {} has no slices", TypeName(object)));
  const SliceBounds bounds = BoundsOf(std::ssize(list->items), begin, end, step);
  List* part = heap.NewList(list->origin);
  part->is_tuple = list->is_tuple;
  heap.ChargeItems(static_cast<uint64_t>(bounds.count));
  int64_t index = bounds.begin;
  for (int64_t i = 0; i < bounds.count; ++i) {
    if (i > 0) index += bounds.step;
    part->items.push_back(list->items[static_cast<size_t>(index)]);
  }
  return Value(part);
}

Value ItemAt(Heap& heap, const Value& object, int64_t index) {
  if (const List* list = object.list()) {
    const int64_t length = std::ssize(list->items);
    if (index < 0) index += length;
    if (index >= 0 && index < length) return list->items[static_cast<size_t>(index)];
  } else if (const MarkedText* text = object.text()) {
    heap.Scan(2 * text->size());
    if (index < 0) index += static_cast<int64_t>(CountCodePoints(text->text()));
    const uint64_t begin = index < 0 ? text->size() : OffsetOf(text->text(), index);
    if (begin < text->size()) {
      uint64_t end = begin;
      NextCodePoint(text->text(), end);
      return heap.NewText(text->Slice(begin, end));
    }
  }
  return Undefined{fmt::format("{} item {}", TypeName(object), index)};
}

std::vector<Value> Iterate(Heap& heap, const Value& value) {
  std::vector<Value> items;
  if (const List* list = value.list()) {
    heap.ChargeItems(list->items.size());
    return list->items;
  }
  if (const Dict* dict = value.dict()) {
    heap.ChargeItems(dict->entries().size());
    for (const auto& [key, item] : dict->entries()) items.push_back(key);
    return items;
  }
  if (const MarkedText* text = value.text()) {
    for (uint64_t at = 0; at < text->size();) {
      const uint64_t begin = at;
      NextCodePoint(text->text(), at);
      heap.ChargeItems(1);
      items.push_back(heap.NewText(text->Slice(begin, at)));
    }
    return items;
  }
  if (!value.Is<Undefined>()) Fail(fmt::format("a {} cannot be iterated", TypeName(value)));
  return items;
}

}  // namespace tome::jinja
