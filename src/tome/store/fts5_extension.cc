#include "tome/store/fts5_extension.h"

#include <sqlite3.h>

#include <new>
#include <string_view>
#include <vector>

#include "tome/base/error.h"
#include "tome/store/posting_store.h"
#include "tome/store/term_stream.h"

namespace tome {
namespace {

// The tokenizer has no state, but FTS5 needs a handle that is not null.
char no_state = 0;

int CreateTokenizer(void* /*context*/, const char** /*arguments*/, int /*count*/,
                    Fts5Tokenizer** tokenizer) {
  *tokenizer = reinterpret_cast<Fts5Tokenizer*>(&no_state);
  return SQLITE_OK;
}

void DeleteTokenizer(Fts5Tokenizer* /*tokenizer*/) {}

using TokenCallback = int (*)(void* context, int flags, const char* token, int token_bytes,
                              int begin, int end);

int Tokenize(Fts5Tokenizer* /*tokenizer*/, void* context, int /*reason*/, const char* text,
             int text_bytes, TokenCallback emit) {
  std::string_view stream(text, text == nullptr ? 0 : static_cast<size_t>(text_bytes));
  std::string_view term;
  bool colocated = false;
  while (NextTerm(stream, term, colocated)) {
    // Offsets serve highlight() and snippet(), which need stored text; this table stores none.
    const int result = emit(context, colocated ? FTS5_TOKEN_COLOCATED : 0, term.data(),
                            static_cast<int>(term.size()), 0, 0);
    if (result != SQLITE_OK) return result;
  }
  return SQLITE_OK;
}

void Collect(const Fts5ExtensionApi* api, Fts5Context* fts, sqlite3_context* context, int count,
             sqlite3_value** arguments) {
  auto* postings = count != 1 ? nullptr
                              : static_cast<std::vector<Posting>*>(
                                    sqlite3_value_pointer(arguments[0], kPostingsPointer));
  Fts5PhraseIter iterator;
  int column = 0;
  int offset = 0;
  const int result =
      postings == nullptr ? SQLITE_MISUSE : api->xPhraseFirst(fts, 0, &iterator, &column, &offset);
  if (result != SQLITE_OK) {
    sqlite3_result_error_code(context, result);
    return;
  }
  Posting posting{.id = api->xRowid(fts)};
  for (; column >= 0; api->xPhraseNext(fts, &iterator, &column, &offset)) {
    ++(column == 0 ? posting.in_text : posting.in_headings);
  }
  try {
    postings->push_back(posting);
    sqlite3_result_int(context, 1);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);  // no exception may cross SQLite's C code
  }
}

// Returns FTS5's entry points in the documented way: a SELECT fills a pointer.
fts5_api* ApiOf(Database& database) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v2(database.handle(), "SELECT fts5(?1)", -1, &statement, nullptr);
  if (result == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  if (api == nullptr || api->iVersion < 2) {
    throw Error(Code::kUnsupported, "this SQLite has no FTS5; install one that has");
  }
  return api;
}

}  // namespace

void RegisterFts5Extension(Database& database) {
  fts5_api* api = ApiOf(database);
  fts5_tokenizer tokenizer{CreateTokenizer, DeleteTokenizer, Tokenize};
  int result = api->xCreateTokenizer(api, "tome", nullptr, &tokenizer, nullptr);
  if (result == SQLITE_OK) {
    result = api->xCreateFunction(api, "tome_collect", nullptr, Collect, nullptr);
  }
  if (result != SQLITE_OK) database.Fail(result, "cannot be prepared for search");
}

}  // namespace tome
