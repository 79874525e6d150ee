// Documents in the tables `documents`, `files`, `texts`, `sections`, `pages` and `passages`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tome/base/sqlite.h"
#include "tome/store/document_store.h"

namespace tome {

// The database must have the tables of sqlite_schema.h and outlive the object.
class SqliteDocuments final : public DocumentStore {
 public:
  explicit SqliteDocuments(Database& database) : database_(database) {}

  std::vector<DocumentRecord> List() override;
  std::optional<DocumentRecord> Find(DocumentId id) override;
  std::optional<DocumentId> FindByContent(std::string_view hash, const Reading& reading) override;
  std::optional<DocumentId> FindByFile(const std::string& path, const FileStamp& stamp,
                                       const Reading& reading) override;
  DocumentRecord Insert(const NewDocument& document) override;
  void Remove(DocumentId id) override;
  std::optional<DocumentId> LinkFile(const std::string& path, DocumentId id,
                                     const FileStamp& stamp) override;
  std::optional<DocumentId> FindByPath(const std::string& path) override;
  std::optional<DocumentId> UnlinkFile(const std::string& path) override;
  std::string Text(DocumentId id, const TextSpan& span) override;
  std::vector<Section> Sections(DocumentId id) override;
  std::vector<Section> SectionsBeginningIn(DocumentId id, const TextSpan& span) override;
  std::string SectionPath(DocumentId id, int64_t section) override;
  std::vector<Page> Pages(DocumentId id) override;
  std::optional<PageRecord> PageOf(DocumentId id, uint64_t offset) override;
  PassageRange AllPassages() override;
  std::vector<Passage> PassagesOf(const DocumentRecord& document) override;
  std::vector<StoredPassage> ReadPassages(std::span<const PassageId> ids) override;

 private:
  DocumentId InsertRow(const NewDocument& document, const PassageRange& passages);
  void InsertSections(DocumentId id, std::span<const Section> sections);
  void InsertPages(DocumentId id, std::span<const Page> pages);
  void InsertPassages(DocumentId id, PassageId first, std::span<const Passage> passages);
  std::vector<std::string> PathsOf(DocumentId id);

  Database& database_;
};

}  // namespace tome
