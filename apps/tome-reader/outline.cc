#include "apps/tome-reader/outline.h"

namespace tome {
namespace {

// An outline may be a loop, so entries that lie deeper or come later are cut.
constexpr int kMaxDepth = 32;
constexpr size_t kMaxEntries = 50'000;

class OutlineReader {
 public:
  OutlineReader(PopplerDocument* document, const std::vector<float>& crop_tops)
      : document_(document), crop_tops_(crop_tops) {}

  void Walk(PopplerIndexIter* iter, int level) {
    if (iter == nullptr || level > kMaxDepth) return;
    do {
      if (++visited_ > kMaxEntries) return;
      const ActionHandle action(poppler_index_iter_get_action(iter));
      if (action && action->any.title != nullptr) Add(*action, level);
      const IndexIterHandle child(poppler_index_iter_get_child(iter));
      Walk(child.get(), level + 1);
    } while (poppler_index_iter_next(iter) != 0);
  }

  std::vector<OutlineEntry> Finish() && { return std::move(entries_); }

 private:
  void Add(const PopplerAction& action, int level) {
    if (action.type != POPPLER_ACTION_GOTO_DEST || action.goto_dest.dest == nullptr) return;
    const PopplerDest* dest = action.goto_dest.dest;
    DestHandle named;
    if (dest->type == POPPLER_DEST_NAMED) {
      if (dest->named_dest == nullptr) return;
      named.reset(poppler_document_find_dest(document_, dest->named_dest));
      dest = named.get();
    }
    if (dest == nullptr || dest->page_num < 1 ||
        static_cast<size_t>(dest->page_num) > crop_tops_.size()) {
      return;
    }
    entries_.push_back({.level = level,
                        .title = action.any.title,
                        .page = dest->page_num - 1,
                        .y = PlaceOnPage(*dest)});
  }

  float PlaceOnPage(const PopplerDest& dest) const {
    const bool has_top = dest.type == POPPLER_DEST_FITH || dest.type == POPPLER_DEST_FITBH ||
                         dest.type == POPPLER_DEST_FITR ||
                         (dest.type == POPPLER_DEST_XYZ && dest.change_top != 0);
    if (!has_top) return -1;
    const float y =
        crop_tops_[static_cast<size_t>(dest.page_num) - 1] - static_cast<float>(dest.top);
    return y >= 0 ? y : 0;
  }

  PopplerDocument* document_;            // of the caller's PdfFile
  const std::vector<float>& crop_tops_;  // of the caller
  std::vector<OutlineEntry> entries_;
  size_t visited_ = 0;
};

}  // namespace

std::vector<OutlineEntry> ReadOutline(const PdfFile& file, const std::vector<float>& crop_tops) {
  const IndexIterHandle root(poppler_index_iter_new(file.get()));
  OutlineReader reader(file.get(), crop_tops);
  reader.Walk(root.get(), 1);
  return std::move(reader).Finish();
}

}  // namespace tome
