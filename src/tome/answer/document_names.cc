#include "tome/answer/document_names.h"

#include <fmt/format.h>

namespace tome {

std::vector<DocumentId> IdsOf(std::span<const NamedDocument> documents) {
  std::vector<DocumentId> ids;
  ids.reserve(documents.size());
  for (const NamedDocument& document : documents) ids.push_back(document.id);
  return ids;
}

DocumentNames::DocumentNames(Library& library, std::span<const NamedDocument> asked)
    : library_(library) {
  for (const NamedDocument& document : asked) names_.emplace(document.id, document.name);
}

const DocumentRecord& DocumentNames::Record(DocumentId id) {
  const auto found = records_.find(id);
  return found != records_.end() ? found->second
                                 : records_.emplace(id, library_.Show(id)).first->second;
}

std::string DocumentNames::Name(DocumentId id) {
  if (const auto named = names_.find(id); named != names_.end()) return named->second;
  const DocumentRecord& record = Record(id);
  return record.paths.empty() ? fmt::format("#{}", id) : record.paths.front();
}

DocumentsSize SizeOf(Library& library, std::span<const NamedDocument> documents,
                     DocumentNames& names) {
  DocumentsSize size;
  const auto add = [&](const DocumentRecord& record) {
    size.tokens += record.tokens;
    size.characters += record.characters;
  };
  for (const NamedDocument& document : documents) add(names.Record(document.id));
  if (documents.empty()) {
    for (const DocumentRecord& record : library.List()) add(record);
  }
  return size;
}

}  // namespace tome
