#include "tome/measurements/measurements.h"

#include <utility>

#include "tome/base/database_file.h"
#include "tome/base/utc_time.h"
#include "tome/measurements/library_tables.h"

namespace tome {
namespace {

constexpr int64_t kMeasurementsId = 0x546F6D6D;  // "Tomm"
constexpr int64_t kMeasurementsVersion = 1;

constexpr std::string_view kMeasurementsTables = R"(
  CREATE TABLE properties(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE speeds(
    shape TEXT NOT NULL,           -- of the model; two of the same run at the same speed
    processor TEXT NOT NULL, kernels TEXT NOT NULL, threads INTEGER NOT NULL,
    kv TEXT NOT NULL,              -- type of keys and values
    linear_per_second REAL NOT NULL, attention_per_second REAL NOT NULL,
    weight_bytes_per_second REAL NOT NULL, kv_bytes_per_second REAL NOT NULL,
    under_load INTEGER NOT NULL,   -- the machine did other things meanwhile
    measured_at TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY(shape, processor, kernels, threads, kv)) WITHOUT ROWID;
  CREATE TABLE kv_losses(
    model TEXT NOT NULL,           -- hash of its files
    kv TEXT NOT NULL,              -- KindOf the type
    tokens INTEGER NOT NULL,
    mean_kl REAL NOT NULL, p99_kl REAL NOT NULL, largest_kl REAL NOT NULL,
    perplexity REAL NOT NULL, exact_perplexity REAL NOT NULL,
    same_top REAL NOT NULL, bytes_per_token REAL NOT NULL,
    measured_at TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY(model, kv)) WITHOUT ROWID;
  CREATE TABLE abilities(
    model TEXT NOT NULL,           -- hash of its files
    language TEXT NOT NULL,        -- "en", "zh"
    ability TEXT NOT NULL,         -- JSON (answer/ability.h)
    measured_at TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY(model, language)) WITHOUT ROWID;
)";

// Binds a key to the parameters 1 to 5. The key must outlive the statement's next run.
Statement& BindKey(Statement& statement, const SpeedKey& key) {
  return statement.Bind(1, std::string_view(key.shape))
      .Bind(2, std::string_view(key.processor))
      .Bind(3, std::string_view(key.kernels))
      .Bind(4, int64_t{key.threads})
      .Bind(5, NameOf(key.kv));
}

}  // namespace

Measurements Measurements::Open(const std::filesystem::path& home, std::stop_token stop) {
  auto database = std::make_unique<Database>(OpenDatabaseFile(
      home / "measurements.db",
      {.application_id = kMeasurementsId,
       .version = kMeasurementsVersion,
       .remedy = "measure again",
       .prepare = {},
       .create = [](Database& created) { created.Exec(std::string(kMeasurementsTables)); },
       .upgrade = {}},
      std::move(stop)));
  TakeOverLibraryTables(home / "library.db", *database);
  return Measurements(std::move(database));
}

std::optional<ModelRates> Measurements::RatesOf(const SpeedKey& key) {
  Statement select = database_->Prepare(
      "SELECT linear_per_second, attention_per_second, weight_bytes_per_second, "
      "kv_bytes_per_second, under_load, measured_at FROM speeds "
      "WHERE shape = ?1 AND processor = ?2 AND kernels = ?3 AND threads = ?4 AND kv = ?5");
  if (!BindKey(select, key).Step()) return std::nullopt;
  return ModelRates{.linear_per_second = select.Real(0),
                    .attention_per_second = select.Real(1),
                    .weight_bytes_per_second = select.Real(2),
                    .kv_bytes_per_second = select.Real(3),
                    .under_load = select.Int(4) != 0,
                    .measured_at = std::string(select.Text(5))};
}

void Measurements::KeepRates(const SpeedKey& key, const ModelRates& rates) {
  const std::string measured_at = UtcNow();
  Statement insert = database_->Prepare(
      "INSERT OR REPLACE INTO speeds VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  BindKey(insert, key)
      .Bind(6, rates.linear_per_second)
      .Bind(7, rates.attention_per_second)
      .Bind(8, rates.weight_bytes_per_second)
      .Bind(9, rates.kv_bytes_per_second)
      .Bind(10, int64_t{rates.under_load})
      .Bind(11, std::string_view(measured_at))
      .Run();
}

void Measurements::DropRates(const SpeedKey& key) {
  Statement remove = database_->Prepare(
      "DELETE FROM speeds WHERE shape = ?1 AND processor = ?2 AND kernels = ?3 AND threads = ?4 "
      "AND kv = ?5");
  BindKey(remove, key).Run();
}

std::optional<KvLoss> Measurements::KvLossOf(std::string_view model, KvType kv) {
  Statement select = database_->Prepare(
      "SELECT tokens, mean_kl, p99_kl, largest_kl, perplexity, exact_perplexity, same_top, "
      "bytes_per_token FROM kv_losses WHERE model = ?1 AND kv = ?2");
  const std::string kind = KindOf(kv);
  if (!select.Bind(1, model).Bind(2, std::string_view(kind)).Step()) return std::nullopt;
  return KvLoss{.kv = kv,
                .tokens = select.Int(0),
                .mean_kl = select.Real(1),
                .p99_kl = select.Real(2),
                .largest_kl = select.Real(3),
                .perplexity = select.Real(4),
                .exact_perplexity = select.Real(5),
                .same_top = select.Real(6),
                .bytes_per_token = select.Real(7)};
}

bool Measurements::KnowsKvLosses(KvType kv) {
  Statement select = database_->Prepare("SELECT 1 FROM kv_losses WHERE kv = ?1 LIMIT 1");
  const std::string kind = KindOf(kv);
  return select.Bind(1, std::string_view(kind)).Step();
}

void Measurements::KeepKvLoss(std::string_view model, const KvLoss& loss) {
  const std::string kind = KindOf(loss.kv);
  const std::string measured_at = UtcNow();
  database_
      ->Prepare(
          "INSERT OR REPLACE INTO kv_losses "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
      .Bind(1, model)
      .Bind(2, std::string_view(kind))
      .Bind(3, loss.tokens)
      .Bind(4, loss.mean_kl)
      .Bind(5, loss.p99_kl)
      .Bind(6, loss.largest_kl)
      .Bind(7, loss.perplexity)
      .Bind(8, loss.exact_perplexity)
      .Bind(9, loss.same_top)
      .Bind(10, loss.bytes_per_token)
      .Bind(11, std::string_view(measured_at))
      .Run();
}

std::optional<std::string> Measurements::AbilityOf(std::string_view model,
                                                   std::string_view language) {
  Statement select =
      database_->Prepare("SELECT ability FROM abilities WHERE model = ?1 AND language = ?2");
  select.Bind(1, model).Bind(2, language);
  if (!select.Step()) return std::nullopt;
  return std::string(select.Text(0));
}

void Measurements::KeepAbility(std::string_view model, std::string_view language,
                               std::string_view ability) {
  const std::string measured_at = UtcNow();
  database_->Prepare("INSERT OR REPLACE INTO abilities VALUES(?1, ?2, ?3, ?4)")
      .Bind(1, model)
      .Bind(2, language)
      .Bind(3, ability)
      .Bind(4, std::string_view(measured_at))
      .Run();
}

}  // namespace tome
