#include "tome/store/document_store.h"

#include <fmt/format.h>

#include "tome/base/error.h"

namespace tome {

DocumentRecord DocumentStore::Read(DocumentId id) {
  std::optional<DocumentRecord> record = Find(id);
  if (!record) FailUnknownDocument(fmt::format("#{}", id));
  return *std::move(record);
}

void FailUnknownDocument(std::string_view name) {
  throw Error(Code::kNotFound,
              fmt::format("{}: no such document in the library; `tome library list` "
                          "names them",
                          name));
}

}  // namespace tome
