#include "tome/models/convert.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "tome/base/error.h"
#include "tome/base/mapped_file.h"
#include "tome/base/new_file.h"
#include "tome/formats/gguf_reader.h"
#include "tome/formats/gguf_types.h"
#include "tome/formats/gguf_writer.h"
#include "tome/formats/recode.h"
#include "tome/formats/safetensors_writer.h"
#include "tome/models/decoder_config_write.h"
#include "tome/models/hf_config.h"
#include "tome/models/registry.h"
#include "tome/models/tokenizer_keys.h"
#include "tome/tensor/codec.h"

namespace tome {
namespace {

// A Step is one tensor of the new model and the source of its values.
struct Step {
  TensorPlan plan;
  TensorView source;
  TensorTransform transform = TensorTransform::kNone;
  std::vector<float> values;  // of a tensor without a source: settings or gates
};

// Returns the rows of each head re-ordered between half-split and interleaved RoPE
// (TensorTransform).
std::vector<std::byte> ReorderRows(const TensorView& tensor, int64_t heads, bool to_interleaved) {
  const bool vector = tensor.shape.rank() == 1;
  const int64_t rows = vector ? tensor.shape[0] : tensor.shape.rows();
  const int64_t row_bytes = tensor.bytes() / rows;
  const int64_t head_rows = rows / heads;
  std::vector<std::byte> reordered(static_cast<size_t>(tensor.bytes()));
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t in_head = row % head_rows;
    const int64_t half = head_rows / 2;
    const int64_t split = in_head % 2 * half + in_head / 2;  // where interleaved `in_head` stands
    const int64_t other = row - in_head + split;
    const int64_t from = to_interleaved ? other : row;
    const int64_t to = to_interleaved ? row : other;
    std::memcpy(reordered.data() + to * row_bytes, tensor.data + from * row_bytes,
                static_cast<size_t>(row_bytes));
  }
  return reordered;
}

class Conversion {
 public:
  Conversion(const Checkpoint& in, const std::filesystem::path& out, const ConvertOptions& options)
      : in_(in), out_(out), options_(options), to_gguf_(out.extension() == ".gguf") {}

  Converted Run() {
    const bool from_gguf = in_.container() == Container::kGguf;
    if (from_gguf && to_gguf_) CopyGgufPairs();
    if (options_.infini && (from_gguf || to_gguf_)) {
      throw Error(Code::kUnsupported,
                  "gates for Infini-attention are added from a folder of safetensors to another; "
                  "convert the model to a folder first");
    }
    if (from_gguf == to_gguf_) {
      CopyTensors();
      if (options_.infini) AddGates(*options_.infini);
    } else {
      Rename();
    }
    ChooseTypes();
    for (const Step& step : steps_) total_ += static_cast<uint64_t>(step.plan.bytes());
    result_.tensors = static_cast<int64_t>(steps_.size());
    result_.bytes = total_;
    if (to_gguf_) {
      WriteGguf();
    } else {
      WriteFolder();
    }
    return std::move(result_);
  }

 private:
  void CopyGgufPairs() {
    const MappedFile map(GgufShards(in_.path()).front());
    for (const GgufPair& pair : ParseGguf(map.bytes()).pairs) {
      if (!pair.key.starts_with("split.")) pairs_.Copy(pair);
    }
  }

  void CopyTensors() {
    for (const auto& [name, tensor] : in_.tensors()) AddStep(name, tensor, TensorTransform::kNone);
  }

  void AddGates(const InfiniConfig& infini) {
    const Architecture& architecture = ArchitectureOf(in_);
    infini_form_ = InfiniFormOf(architecture);
    if (infini_form_ == nullptr) {
      throw Error(
          Code::kUnsupported,
          fmt::format("{}: gates for Infini-attention can be added to Llama, Mistral, Qwen2 "
                      "and Qwen3, not to {}",
                      in_.path().string(), architecture.hf_model_type));
    }
    config_ = ReadDecoderConfig(in_, std::string(architecture.name));
    if (config_.window > 0 && config_.window < infini.segment) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: has a sliding window of {} tokens; choose a segment that is no "
                              "longer",
                              in_.path().string(), config_.window));
    }
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      AddValues(LayerName(kInfiniGate, layer),
                std::vector<float>(static_cast<size_t>(config_.heads), kFirstGate));
    }
  }

  void AddValues(const std::string& name, std::vector<float> values) {
    const auto size = static_cast<int64_t>(values.size());
    steps_.push_back({.plan = {.name = name, .dtype = DType::kF32, .shape = {size}},
                      .source = {},
                      .transform = TensorTransform::kNone,
                      .values = std::move(values)});
  }

  // Returns config.json of the new model, made from that of the old one.
  std::string NewConfig() const {
    const std::string text = in_.SideFile("config.json");
    if (infini_form_ == nullptr) return text;
    auto json = nlohmann::ordered_json::parse(text);
    json["architectures"] = {infini_form_->hf_class};
    json["model_type"] = infini_form_->hf_model_type;
    json["infini"] = {{"segment_length", options_.infini->segment},
                      {"update", options_.infini->delta ? "delta" : "linear"}};
    return json.dump(2) + "\n";
  }

  void AddStep(const std::string& name, const TensorView& tensor, TensorTransform transform) {
    steps_.push_back({.plan = {.name = name, .dtype = tensor.dtype, .shape = tensor.shape},
                      .source = tensor,
                      .transform = transform,
                      .values = {}});
  }

  // Gives each step the type asked for, where its tensor can have it. Otherwise tensors stay as
  // they are, except the vectors of a new GGUF file, whose readers expect F32.
  void ChooseTypes() {
    std::vector<TensorPlan> plans = Plans();
    if (options_.type) {
      std::vector<std::string> notes = AssignTypes(*options_.type, plans);
      result_.notes.insert(result_.notes.end(), notes.begin(), notes.end());
    } else if (to_gguf_ && in_.container() != Container::kGguf) {
      for (TensorPlan& plan : plans) {
        if (plan.shape.rank() < 2 && IsDecodable(plan.dtype)) plan.dtype = DType::kF32;
      }
    }
    for (size_t i = 0; i < plans.size(); ++i) {
      if (!to_gguf_ && IsBlockQuantized(plans[i].dtype)) {
        throw Error(Code::kUnsupported,
                    fmt::format("{}: the tensor {} is {}, which safetensors cannot hold",
                                in_.path().string(), plans[i].name, NameOf(plans[i].dtype)),
                    {Advice::Use(Setting::kType, "f16"), Advice::Use(Setting::kType, "bf16"),
                     Advice::Use(Setting::kType, "f32")});
      }
      steps_[i].plan.dtype = plans[i].dtype;
    }
  }

  // Adds the steps between the containers, by the architecture's table.
  void Rename() {
    const Architecture& architecture = ArchitectureOf(in_);
    if (!architecture.has_gguf) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: {} has no GGUF form", in_.path().string(), architecture.name));
    }
    if (std::ranges::any_of(architecture.tensors, [](const TensorName& row) {
          return row.transform == TensorTransform::kNegativeExp;
        })) {
      throw Error(Code::kUnsupported,
                  fmt::format("{}: models of the architecture {} are converted within their "
                              "container only, from GGUF to GGUF or from a folder to a folder",
                              in_.path().string(), architecture.name));
    }
    config_ = ReadDecoderConfig(in_, std::string(architecture.name));
    size_t used = 0;
    for (const TensorName& row : architecture.tensors) {
      const bool layered = row.gguf.find("{}") != std::string_view::npos;
      for (int64_t layer = 0; layer < (layered ? config_.layers : 1); ++layer) {
        const std::string from = LayerName(to_gguf_ ? row.hf : row.gguf, layer);
        const TensorView* tensor = in_.Find(from);
        if (tensor == nullptr) continue;
        ++used;
        AddStep(LayerName(to_gguf_ ? row.gguf : row.hf, layer), *tensor, row.transform);
      }
    }
    const size_t settings =
        to_gguf_ ? 0
                 : static_cast<size_t>(std::count_if(
                       in_.tensors().begin(), in_.tensors().end(),
                       [](const auto& entry) { return entry.first.starts_with("rope_f"); }));
    if (used + settings < in_.tensors().size()) {
      result_.notes.push_back(
          fmt::format("{} tensors that the architecture does not have were left out",
                      in_.tensors().size() - used - settings));
    }
    if (to_gguf_) {
      for (SettingsTensor& tensor : WriteGgufConfig(config_, architecture, pairs_, result_.notes)) {
        AddValues(tensor.name, std::move(tensor.values));
      }
      SetTokenizerKeys(in_, pairs_, result_.notes);
    }
  }

  // Writes the bytes of a step's tensor to `write`, in the new type.
  void WriteStep(const Step& step, const ByteSink& write) {
    if (!step.values.empty()) {
      write(std::as_bytes(std::span<const float>(step.values)));
      return;
    }
    TensorView source = step.source;
    std::vector<std::byte> reordered;
    Tensor shifted;
    switch (step.transform) {
      case TensorTransform::kInterleaveQueryRows:
      case TensorTransform::kInterleaveKeyRows: {
        const bool query = step.transform == TensorTransform::kInterleaveQueryRows;
        reordered = ReorderRows(source, query ? config_.heads : config_.kv_heads, to_gguf_);
        source.data = reordered.data();
        break;
      }
      case TensorTransform::kPlusOne:
        shifted = DecodeTensor(source);
        for (float& value : shifted.floats()) value += to_gguf_ ? 1.0F : -1.0F;
        source = shifted.view();
        break;
      case TensorTransform::kNegativeExp:  // Rename refuses the architectures that have it
      case TensorTransform::kNone:
        break;
    }
    try {
      RecodeTensor(source, step.plan.dtype, pool_, write);
    } catch (const Error& error) {
      // These codes are about the old model's values. Errors of the new file's writer name the new
      // file already.
      if (error.code() != Code::kInvalidArgument && error.code() != Code::kUnsupported) throw;
      throw error.In(fmt::format("{}: tensor {}", in_.path().string(), step.plan.name));
    }
  }

  template <typename Writer>
  void WriteSteps(Writer& writer) {
    uint64_t done = 0;
    for (const Step& step : steps_) {
      options_.control.CheckStop();
      WriteStep(step, [&](std::span<const std::byte> bytes) {
        writer.Write(bytes);
        done += bytes.size();
        options_.control.Report("converting", done, total_);
        options_.control.CheckStop();
      });
    }
    writer.Finish();
  }

  std::vector<TensorPlan> Plans() const {
    std::vector<TensorPlan> plans;
    for (const Step& step : steps_) plans.push_back(step.plan);
    return plans;
  }

  void WriteGguf() {
    pairs_.SetUint32("general.quantization_version", 2);
    DType main = DType::kF32;
    int64_t most = -1;
    std::map<DType, int64_t> elements;
    for (const Step& step : steps_) {
      const int64_t count = elements[step.plan.dtype] += step.plan.shape.elements();
      if (count > most) {
        most = count;
        main = step.plan.dtype;
      }
    }
    if (const auto type = GgufFileType(options_.type.value_or(main)))
      pairs_.SetUint32("general.file_type", *type);
    GgufWriter writer(out_, pairs_, Plans());
    WriteSteps(writer);
  }

  void WriteFolder() {
    std::error_code error;
    const bool made = std::filesystem::create_directory(out_, error);
    if (error) throw Error(Code::kIo, fmt::format("{}: {}", out_.string(), error.message()));
    try {
      // Side files are written before the weights and appear after them. A full disk then leaves no
      // half of a model, not even in a folder that was there before.
      SafetensorsFolderWriter writer(out_, Plans(), {{"format", "pt"}});
      const auto side_files = WriteSideFiles();
      WriteSteps(writer);
      for (const auto& file : side_files) file->Commit();
    } catch (...) {
      if (made) std::filesystem::remove_all(out_, error);
      throw;
    }
  }

  // Returns the side files, written but not yet committed.
  std::vector<std::unique_ptr<NewFile>> WriteSideFiles() {
    std::vector<std::unique_ptr<NewFile>> files;
    const auto write = [&](const char* name, std::string_view text) {
      if (text.empty()) return;
      files.push_back(std::make_unique<NewFile>(out_ / name));
      files.back()->Write(text);
    };
    if (in_.container() == Container::kSafetensors) {
      write("config.json", NewConfig());
      for (const char* name : {"generation_config.json", "tokenizer.json", "tokenizer_config.json",
                               "chat_template.jinja"}) {
        write(name, in_.SideFile(name));
      }
      return files;
    }
    const bool tied = in_.Find("output.weight") == nullptr;
    write("config.json", HfConfigOf(config_, ArchitectureOf(in_), tied).dump(2) + "\n");
    const TokenizerFiles tokenizer = TokenizerFilesOf(in_, result_.notes);
    write("tokenizer.json", tokenizer.tokenizer_json);
    write("tokenizer_config.json", tokenizer.tokenizer_config_json);
    return files;
  }

  const Checkpoint& in_;
  const std::filesystem::path& out_;
  const ConvertOptions& options_;
  const bool to_gguf_;
  ThreadPool pool_{ProcessorCount()};
  DecoderConfig config_;
  const Architecture* infini_form_ = nullptr;  // of the new model; null: it gets no gates
  GgufPairs pairs_;
  std::vector<Step> steps_;
  uint64_t total_ = 0;
  Converted result_;
};

}  // namespace

Converted ConvertModel(const Checkpoint& in, const std::filesystem::path& out,
                       const ConvertOptions& options) {
  return Conversion(in, out, options).Run();
}

}  // namespace tome
