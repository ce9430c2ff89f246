#include "checkpoint/import_plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/spec/tensor_spec.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"

namespace reelyard::store {
namespace {

constexpr std::size_t most_problems = 40;

constexpr std::array<std::pair<std::string_view, DType>, 3> weight_dtypes{{
    {"F32", DType::float32},
    {"F16", DType::float16},
    {"BF16", DType::bfloat16},
}};

std::optional<DType> to_dtype(const std::string& name) {
    for (const auto& [known, dtype] : weight_dtypes) {
        if (known == name) {
            return dtype;
        }
    }
    return std::nullopt;
}

/// Plans one component: finds a place for every tensor of its files and a tensor for every place.
class ComponentPlanner {
public:
    ComponentPlanner(const ImportRequest& request,
                     const ComponentSpec& spec,
                     std::vector<std::string>& problems)
        : request_(request)
        , spec_(spec)
        , problems_(problems) {
        for (const TensorSpec& tensor : spec.tensors) {
            expected_.emplace(tensor.name, &tensor);
        }
        aliases_.insert(spec.aliases.begin(), spec.aliases.end());
    }

    /// \param first_source number of the component's first file among all sources
    StoredComponent plan(const std::vector<SafetensorsFile>& files, std::size_t first_source) {
        for (std::size_t i = 0; i < files.size(); ++i) {
            for (const SafetensorsEntry& entry : files[i].entries()) {
                add(files[i], first_source + i, entry);
            }
        }
        report_missing();
        StoredComponent component{.name = spec_.name, .class_name = spec_.class_name};
        for (auto& [name, tensor] : stored_) {
            component.tensors.push_back(std::move(tensor));
        }
        lay_out(component);
        return component;
    }

    /// The name under which the model knows `name`.
    [[nodiscard]] const std::string& canonical(const std::string& name) const {
        const auto alias = aliases_.find(name);
        return alias == aliases_.end() ? name : alias->second;
    }

private:
    void add(const SafetensorsFile& file, std::size_t source, const SafetensorsEntry& entry) {
        const std::string place = fmt::format("{}: tensor '{}'", file.path().string(), entry.name);
        const std::string& name = canonical(entry.name);
        const auto expected = expected_.find(name);
        if (expected == expected_.end()) {
            problems_.push_back(fmt::format(
                "{} is unexpected ({} with this config has none)", place, spec_.class_name));
            return;
        }
        const TensorSpec& tensor = *expected->second;
        if (entry.shape != tensor.shape) {
            problems_.push_back(fmt::format("{} has shape {} (expected {} by {}/config.json)",
                                            place,
                                            to_string(entry.shape),
                                            to_string(tensor.shape),
                                            spec_.name));
        }
        const auto dtype = to_dtype(entry.dtype);
        if (!dtype) {
            problems_.push_back(
                fmt::format("{} has dtype {} (expected F32, F16 or BF16)", place, entry.dtype));
        }
        if (!names_.emplace(entry.name, file.path().string()).second) {
            problems_.push_back(fmt::format("{} is in {} as well", place, names_.at(entry.name)));
        }
        const bool converts = request_.dtype && tensor.precision == Precision::compute;
        StoredTensor stored =
            stored_form(tensor, converts ? *request_.dtype : dtype.value_or(DType::float32));
        stored.source = static_cast<std::int64_t>(source);
        stored_.emplace(name, std::move(stored));
    }

    void report_missing() {
        for (const TensorSpec& tensor : spec_.tensors) {
            if (stored_.count(tensor.name) == 0) {
                problems_.push_back(
                    fmt::format("{}: tensor '{}' is missing (expected one of shape {})",
                                (request_.checkpoint / spec_.name).string(),
                                tensor.name,
                                to_string(tensor.shape)));
            }
        }
    }

    const ImportRequest& request_;
    const ComponentSpec& spec_;
    std::vector<std::string>& problems_;
    std::map<std::string, const TensorSpec*> expected_;
    std::map<std::string, std::string> aliases_;
    std::map<std::string, std::string> names_;  ///< as in the files -> file
    std::map<std::string, StoredTensor> stored_;
};

void throw_problems(const std::vector<std::string>& problems,
                    const std::filesystem::path& checkpoint) {
    if (problems.empty()) {
        return;
    }
    const std::size_t shown = std::min(problems.size(), most_problems);
    const std::string more =
        problems.size() > shown ? fmt::format("\n  and {} more", problems.size() - shown) : "";
    fail(ErrorKind::input,
         "{}: does not fit its configs:\n  {}{}",
         checkpoint.string(),
         fmt::join(std::span(problems).first(shown), "\n  "),
         more);
}

/// The tensors of the files [first, end) with their places in the component.
void add_tensors(ImportPlan& plan,
                 std::size_t first,
                 std::size_t component,
                 const ComponentPlanner& planner) {
    std::map<std::string, std::size_t> places;
    const auto& stored = plan.index.components[component].tensors;
    for (std::size_t i = 0; i < stored.size(); ++i) {
        places.emplace(stored[i].name, i);
    }
    std::vector<bool> taken(stored.size(), false);
    for (std::size_t file = first; file < plan.files.size(); ++file) {
        for (const SafetensorsEntry& entry : plan.files[file].entries()) {
            const std::size_t place = places.at(planner.canonical(entry.name));
            plan.tensors.push_back({.file = file,
                                    .source = entry,
                                    .is_stored = !taken[place],
                                    .component = component,
                                    .tensor = place});
            taken[place] = true;
        }
    }
}

}  // namespace

StoredTensor stored_form(const TensorSpec& spec, DType dtype) {
    return {.name = spec.name,
            .dtype = dtype,
            .shape = spec.shape,
            .transposed = spec.split == Split::columns && spec.shape.size() == 2,
            .bytes = element_count(spec.shape) * size_of(dtype),
            .crc32 = 0};
}

std::vector<StoredFile> describe_files(const CheckpointConfig& config) {
    std::vector<StoredFile> files;
    for (const auto& [path, content] : config.files) {
        const auto bytes = std::as_bytes(std::span(content.data(), content.size()));
        files.push_back({.path = path,
                         .bytes = static_cast<std::int64_t>(content.size()),
                         .checksum = checksum(bytes)});
    }
    return files;
}

ImportPlan plan_import(const ImportRequest& request,
                       const CheckpointConfig& config,
                       const ModelSpec& model) {
    ImportPlan plan;
    plan.index.family = model.family;
    plan.index.files = describe_files(config);
    std::vector<std::string> problems;
    for (const ComponentSpec& spec : model.components) {
        const std::size_t first = plan.files.size();
        std::vector<SafetensorsFile> files = open_component(request.checkpoint, spec.name);
        ComponentPlanner planner(request, spec, problems);
        plan.index.components.push_back(planner.plan(files, first));
        for (SafetensorsFile& file : files) {
            const auto path = file.path().lexically_relative(request.checkpoint).generic_string();
            plan.index.sources.push_back({.path = path, .bytes = file.file_bytes()});
            plan.files.push_back(std::move(file));
        }
        if (problems.empty()) {
            add_tensors(plan, first, plan.index.components.size() - 1, planner);
        }
    }
    throw_problems(problems, request.checkpoint);
    return plan;
}

std::vector<Share> share_out(const std::vector<PlannedTensor>& tensors, int ranks) {
    std::int64_t total = 0;
    for (const PlannedTensor& tensor : tensors) {
        total += tensor.source.bytes;
    }
    std::vector<Share> shares;
    std::size_t at = 0;
    std::int64_t done = 0;
    for (int rank = 0; rank < ranks; ++rank) {
        Share share{.begin = at, .end = at};
        const double goal = static_cast<double>(total) * (rank + 1) / ranks;
        // A tensor goes to the rank in whose part its middle lies; the last rank takes the rest.
        while (
            share.end < tensors.size() &&
            (rank + 1 == ranks ||
             static_cast<double>(done) + static_cast<double>(tensors[share.end].source.bytes) / 2 <=
                 goal)) {
            done += tensors[share.end].source.bytes;
            ++share.end;
        }
        at = share.end;
        shares.push_back(share);
    }
    return shares;
}

}  // namespace reelyard::store
