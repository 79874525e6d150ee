// These handles own the objects that poppler-glib returns.
#pragma once

#include <poppler.h>

#include <memory>

namespace tome {

struct ObjectUnref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <typename T>
using ObjectHandle = std::unique_ptr<T, ObjectUnref>;

struct GlibFree {
  void operator()(void* memory) const { g_free(memory); }
};
template <typename T>
using GlibHandle = std::unique_ptr<T, GlibFree>;

struct ErrorFree {
  void operator()(GError* error) const { g_error_free(error); }
};
using ErrorHandle = std::unique_ptr<GError, ErrorFree>;

struct BytesUnref {
  void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};
using BytesHandle = std::unique_ptr<GBytes, BytesUnref>;

struct IterFree {
  void operator()(PopplerIndexIter* iter) const { poppler_index_iter_free(iter); }
};
using IndexIterHandle = std::unique_ptr<PopplerIndexIter, IterFree>;

struct ActionFree {
  void operator()(PopplerAction* action) const { poppler_action_free(action); }
};
using ActionHandle = std::unique_ptr<PopplerAction, ActionFree>;

struct DestFree {
  void operator()(PopplerDest* dest) const { poppler_dest_free(dest); }
};
using DestHandle = std::unique_ptr<PopplerDest, DestFree>;

struct AttributesFree {
  void operator()(GList* list) const { poppler_page_free_text_attributes(list); }
};
using AttributesHandle = std::unique_ptr<GList, AttributesFree>;

struct ImagesFree {
  void operator()(GList* list) const { poppler_page_free_image_mapping(list); }
};
using ImagesHandle = std::unique_ptr<GList, ImagesFree>;

}  // namespace tome
