#include "tome/documents/readers/html_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "tome/base/error.h"
#include "tome/documents/limits.h"

namespace tome {
namespace {

// A tree costs some thirty times its source, and "<td>1<td>2" about eighty times. A larger tree
// comes from cloned formatting elements.
constexpr uint64_t kTreeBytesPerByte = 128;
constexpr uint64_t kLeastTreeBytes = uint64_t{16} << 20;
// The depth is checked whenever this much was allocated, which is some thousand elements.
constexpr uint64_t kCheckBytes = uint64_t{256} << 10;
// gumbo's own functions, except for the recursive destructor, need a few KiB of stack.
constexpr uintptr_t kMaxStackBytes = uintptr_t{512} << 10;

// An Arena is memory that is freed as a whole. It reuses small blocks that gumbo frees, because
// gumbo allocates and frees several for every token.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    for (void* chunk : chunks_) std::free(chunk);
  }

  // Returns null when the system has no more memory.
  void* Allocate(size_t size) {
    const size_t units = (size + sizeof(Header) + kUnit - 1) / kUnit;
    if (units < free_.size() && free_[units] != nullptr) {
      FreeBlock* block = free_[units];
      free_[units] = block->next;
      return block;
    }
    if (units * kUnit > left_ && !Grow(units * kUnit)) return nullptr;
    auto* header = new (next_) Header{units};
    next_ += units * kUnit;
    left_ -= units * kUnit;
    return header + 1;
  }

  void Free(void* memory) {
    if (memory == nullptr) return;
    const size_t units = (static_cast<Header*>(memory) - 1)->units;
    if (units >= free_.size()) return;  // large blocks are few: vectors and buffers that doubled
    free_[units] = new (memory) FreeBlock{free_[units]};
  }

  uint64_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kUnit = 16;
  static constexpr size_t kChunkBytes = size_t{256} << 10;
  struct alignas(kUnit) Header {
    size_t units;
  };
  struct FreeBlock {
    FreeBlock* next;
  };

  bool Grow(size_t size) {
    const size_t chunk_bytes = std::max(size, kChunkBytes);
    void* chunk = std::malloc(chunk_bytes);
    if (chunk == nullptr) return false;
    chunks_.push_back(chunk);
    next_ = static_cast<char*>(chunk);
    left_ = chunk_bytes;
    bytes_ += chunk_bytes;
    return true;
  }

  std::vector<void*> chunks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  uint64_t bytes_ = 0;
  std::array<FreeBlock*, 64> free_{};
};

}  // namespace

HtmlChildren ChildrenOf(const GumboNode& node) {
  if (node.type != GUMBO_NODE_ELEMENT && node.type != GUMBO_NODE_TEMPLATE &&
      node.type != GUMBO_NODE_DOCUMENT) {
    return {};
  }
  const GumboVector& children =
      node.type == GUMBO_NODE_DOCUMENT ? node.v.document.children : node.v.element.children;
  return {reinterpret_cast<GumboNode* const*>(children.data), children.length};
}

class HtmlTree::Parse {
 public:
  Parse(std::string_view utf8, const WorkControl& control)
      : control_(control),
        max_bytes_(std::max(kLeastTreeBytes, kTreeBytesPerByte * utf8.size())),
        stack_base_(StackPointer()) {
    options_.allocator = [](void* self, size_t size) {
      return static_cast<Parse*>(self)->Allocate(size);
    };
    options_.deallocator = [](void* self, void* memory) {
      static_cast<Parse*>(self)->Free(memory);
    };
    options_.userdata = this;
    options_.max_errors = 0;  // each recorded error costs memory, and nobody reads them
    Run(utf8);
    if (stop_ != Stop::kNot) Throw();
  }

  const GumboNode* root() const { return output_->root; }

 private:
  enum class Stop { kNot, kDepth, kMemory, kCancelled };

  // Only plain C functions lie between here and Leave(), so longjmp skips no destructor.
  void Run(std::string_view utf8) {
    if (setjmp(leave_) != 0) return;
    output_ = gumbo_parse_with_options(&options_, utf8.data(), utf8.size());
  }

  [[noreturn]] void Leave(Stop reason) {
    stop_ = reason;
    longjmp(leave_, 1);
  }

  void* Allocate(size_t size) {
    void* memory = arena_.Allocate(size);
    if (memory == nullptr || arena_.bytes() > max_bytes_) Leave(Stop::kMemory);
    // gumbo allocates its output first and attaches the tree to it at once.
    if (allocations_++ == 0 && size == sizeof(GumboOutput)) {
      first_ = static_cast<const GumboOutput*>(memory);
    }
    allocated_ += size;
    if (allocated_ >= kCheckBytes) {
      allocated_ = 0;
      if (control_.stop.stop_requested()) Leave(Stop::kCancelled);
      if (IsTooDeep()) Leave(Stop::kDepth);
    }
    return memory;
  }

  void Free(void* memory) {
    // gumbo's recursive destructor frees at every level on its way down, so the depth of the stack
    // shows here.
    if (stack_base_ - StackPointer() > kMaxStackBytes) Leave(Stop::kDepth);
    arena_.Free(memory);
  }

  // Follows the newest elements: the last child and, where text was moved out of a table, the child
  // before it. Looks at a bounded number of nodes; CheckDepth finds what it misses after the parse.
  bool IsTooDeep() const {
    if (first_ == nullptr) return false;
    struct Level {
      const GumboNode* node;
      int depth;
    };
    std::array<Level, 64> waiting{};
    size_t count = 0;
    waiting[count++] = {first_->document, 0};
    for (int looked = 0; count > 0 && looked < 4 * kMaxElementDepth; ++looked) {
      const Level level = waiting[--count];
      if (level.depth > kMaxElementDepth) return true;
      const HtmlChildren children = ChildrenOf(*level.node);
      if (children.count == 0) continue;
      const GumboNode* last = children.first[children.count - 1];
      const bool is_table =
          last->type == GUMBO_NODE_ELEMENT && last->v.element.tag == GUMBO_TAG_TABLE;
      if (count + 2 > waiting.size()) continue;
      waiting[count++] = {last, level.depth + 1};
      if (is_table && children.count > 1) {
        waiting[count++] = {children.first[children.count - 2], level.depth + 1};
      }
    }
    return false;
  }

  [[noreturn]] void Throw() const {
    switch (stop_) {
      case Stop::kCancelled:
        control_.CheckStop();
        [[fallthrough]];
      case Stop::kMemory:
        throw Error(Code::kOutOfMemory, "the HTML needs too much memory to be parsed");
      default:
        throw Error(Code::kUnsupported,
                    fmt::format("the HTML nests elements more than {} deep", kMaxElementDepth));
    }
  }

  static uintptr_t StackPointer() {
    return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  }

  const WorkControl& control_;
  const uint64_t max_bytes_;
  const uintptr_t stack_base_;
  Arena arena_;
  GumboOptions options_ = kGumboDefaultOptions;
  const GumboOutput* first_ = nullptr;
  const GumboOutput* output_ = nullptr;
  uint64_t allocations_ = 0;
  uint64_t allocated_ = 0;  // since the last look at the depth
  Stop stop_ = Stop::kNot;
  std::jmp_buf leave_;
};

namespace {

// Checks the depth of every element, not only of the newest. The reader relies on it.
void CheckDepth(const GumboNode& root) {
  struct Level {
    HtmlChildren children;
    unsigned next = 0;
  };
  std::vector<Level> path = {{ChildrenOf(root)}};
  while (!path.empty()) {
    Level& level = path.back();
    if (level.next == level.children.count) {
      path.pop_back();
      continue;
    }
    const HtmlChildren children = ChildrenOf(*level.children.first[level.next++]);
    if (children.count == 0) continue;
    if (path.size() >= kMaxElementDepth) {
      throw Error(Code::kUnsupported,
                  fmt::format("the HTML nests elements more than {} deep", kMaxElementDepth));
    }
    path.push_back({children});
  }
}

}  // namespace

HtmlTree::HtmlTree(std::string_view utf8, const WorkControl& control) {
  control.CheckStop();
  if (utf8.size() > kMaxHtmlBytes) {
    throw Error(Code::kUnsupported,
                fmt::format("HTML of {} MiB is larger than the limit of {} MiB; split the file",
                            utf8.size() >> 20, kMaxHtmlBytes >> 20));
  }
  parse_ = std::make_unique<Parse>(utf8, control);
  root_ = parse_->root();
  CheckDepth(*root_);
}

HtmlTree::~HtmlTree() = default;

}  // namespace tome
