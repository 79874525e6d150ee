// Measurements keeps what was measured of models on this machine: how fast they run, what keys and
// values of few bits cost them, and what they are able to. It has a file of its own,
// measurements.db, beside the library's.
//
//   speeds      rates (generate/model_rates.h)
//   kv_losses   losses by keys and values of few bits (measurements/kv_loss.h)
//   abilities   what models were found to be able to (answer/ability.h)
//   properties  name and value: "library" says how far the tables of an earlier library.db, where
//               measurements lay up to its version 5, have been taken over
//
// Several processes may use the file at once. An object belongs to one thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "tome/base/sqlite.h"
#include "tome/generate/model_rates.h"
#include "tome/measurements/kv_loss.h"

namespace tome {

class LanguageModel;

class Measurements {
 public:
  // Opens or creates `home`/measurements.db, as OpenDatabaseFile does. The first time, it takes
  // over what an earlier Tome kept in `home`/library.db.
  static Measurements Open(const std::filesystem::path& home, std::stop_token stop);

  // Returns the kept rates of a model. Empty where none are kept.
  std::optional<ModelRates> RatesOf(const SpeedKey& key);
  // Keeps rates, as measured now, in the place of earlier ones.
  void KeepRates(const SpeedKey& key, const ModelRates& rates);
  void DropRates(const SpeedKey& key);

  // Returns the kept loss that memories of type `kv` cause to a model (LanguageModel::FilesKey).
  // Empty where none is kept.
  std::optional<KvLoss> KvLossOf(std::string_view model, KvType kv);
  // Returns whether a loss by this type is kept for at least one model.
  bool KnowsKvLosses(KvType kv);
  // Keeps a loss in the place of an earlier one of the same model and type.
  void KeepKvLoss(std::string_view model, const KvLoss& loss);

  // Returns what KeepAbility was given for a model (LanguageModel::FilesKey) in a language. Empty
  // where nothing is kept.
  std::optional<std::string> AbilityOf(std::string_view model, std::string_view language);
  // Keeps an ability in the place of an earlier one.
  void KeepAbility(std::string_view model, std::string_view language, std::string_view ability);

 private:
  explicit Measurements(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  std::unique_ptr<Database> database_;
};

// A model, and where its measurements are kept. Owns neither.
struct MeasuredModel {
  const LanguageModel& model;
  Measurements& measurements;
};

}  // namespace tome
