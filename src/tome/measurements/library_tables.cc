#include "tome/measurements/library_tables.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>

#include "tome/base/error.h"
#include "tome/store/sqlite_schema.h"

namespace tome {
namespace {

struct LibraryTable {
  std::string_view name;
  std::string_view columns;
};

// The column `under_load` is named apart, because versions before 4 did not have it.
constexpr std::array kLibraryTables{
    LibraryTable{"speeds",
                 "shape, processor, kernels, threads, kv, linear_per_second, attention_per_second, "
                 "weight_bytes_per_second, kv_bytes_per_second, measured_at"},
    LibraryTable{"kv_losses",
                 "model, kv, tokens, mean_kl, p99_kl, largest_kl, perplexity, exact_perplexity, "
                 "same_top, bytes_per_token, measured_at"},
    LibraryTable{"abilities", "model, language, ability, measured_at"},
};

std::string Progress(Database& measurements) {
  Statement select = measurements.Prepare("SELECT value FROM properties WHERE name = 'library'");
  return select.Step() ? std::string(select.Text(0)) : std::string();
}

void SetProgress(Database& measurements, std::string_view progress) {
  measurements.Prepare("INSERT OR REPLACE INTO properties VALUES('library', ?1)")
      .Bind(1, progress)
      .Run();
}

bool HasTable(Database& database, std::string_view name) {
  return database.Prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1").Bind(1, name).Step();
}

// Every statement is a transaction of its own, and repeating it changes nothing. One transaction
// over both files would wait for whoever writes to the library.
void Copy(const std::filesystem::path& library, Database& old, Database& measurements) {
  const std::string path = library.string();
  measurements.Prepare("ATTACH ?1 AS library").Bind(1, std::string_view(path)).Run();
  for (const auto& [table, columns] : kLibraryTables) {
    if (!HasTable(old, table)) continue;
    std::string into(columns);
    std::string from(columns);
    if (table == "speeds") {
      const bool knows_load = old.QueryInt(
                                  "SELECT count(*) FROM pragma_table_info('speeds') WHERE name = "
                                  "'under_load'") > 0;
      into += ", under_load";
      // How busy the machine was at that time is unknown, so it counts as busy.
      from += knows_load ? ", under_load" : ", 1";
    }
    measurements.Exec(fmt::format("INSERT OR IGNORE INTO {0}({1}) SELECT {2} FROM library.{0}",
                                  table, into, from));
  }
  measurements.Exec("DETACH library");
  SetProgress(measurements, "copied");
}

// Returns whether the tables are gone.
bool RemoveTables(Database& library) {
  try {
    Transaction transaction(library);
    for (const LibraryTable& table : kLibraryTables) {
      library.Exec(fmt::format("DROP TABLE IF EXISTS {}", table.name));
    }
    transaction.Commit();
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable) throw;
    return false;
  }
}

}  // namespace

void TakeOverLibraryTables(const std::filesystem::path& library, Database& measurements) {
  const std::string progress = Progress(measurements);
  if (progress == "gone") return;
  std::error_code error;
  if (std::filesystem::file_size(library, error) == 0 || error) return;
  Database old = Database::Open(library, std::chrono::milliseconds(0), {});
  if (old.QueryInt("PRAGMA application_id") != kLibraryId) return;
  if (progress.empty()) Copy(library, old, measurements);
  if (old.QueryInt("PRAGMA user_version") < kFirstVersionWithoutMeasurements) return;
  if (RemoveTables(old)) SetProgress(measurements, "gone");
}

}  // namespace tome
