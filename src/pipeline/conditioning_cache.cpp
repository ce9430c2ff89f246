#include "reelyard/pipeline/conditioning_cache.hpp"

#include <system_error>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/store/tensor_file.hpp"

namespace reelyard::pipeline {

namespace fs = std::filesystem;

ConditioningCache::ConditioningCache(fs::path folder, std::string model_key)
    : folder_(std::move(folder))
    , model_key_(std::move(model_key)) {}

fs::path ConditioningCache::path_of(const std::string& text) const {
    return folder_ / (content_hash(model_key_ + '\n' + text) + ".safetensors");
}

bool ConditioningCache::contains(const std::string& text) const {
    return fs::exists(path_of(text));
}

void ConditioningCache::put(const std::string& text,
                            const models::Conditioning& conditioning) const {
    make_folders(folder_);
    store::write_tensors(path_of(text), conditioning.tensors);
}

models::Conditioning ConditioningCache::get(const std::string& text, c10::Device device) const {
    require(contains(text),
            ErrorKind::storage,
            "{}: the encoded text is not there (expected it from the text stage)",
            path_of(text).string());
    models::Conditioning conditioning{store::read_tensors(path_of(text))};
    for (auto& [name, tensor] : conditioning.tensors) {
        tensor = tensor.to(device);
    }
    return conditioning;
}

void ConditioningCache::clear() const {
    std::error_code code;
    fs::remove_all(folder_, code);
    require(
        !code, ErrorKind::storage, "{}: cannot be removed ({})", folder_.string(), code.message());
}

}  // namespace reelyard::pipeline
