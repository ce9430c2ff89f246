#pragma once

#include <filesystem>
#include <string>

#include <c10/core/Device.h>

#include "reelyard/models/conditioning.hpp"

namespace reelyard::pipeline {

/// Encoded texts as files, so that each is encoded once per job however many ranks, tasks or
/// restarts need it.
class ConditioningCache {
public:
    /// \param folder on storage that all ranks see; made on first use
    /// \param model_key what the encoding depends on besides the text: model and compute type
    ConditioningCache(std::filesystem::path folder, std::string model_key);

    [[nodiscard]] bool contains(const std::string& text) const;
    /// Whole or not at all, whoever else writes the same. \throws Error (storage, resources)
    void put(const std::string& text, const models::Conditioning& conditioning) const;
    /// \throws Error (storage) when it is not there or not readable
    [[nodiscard]] models::Conditioning get(const std::string& text, c10::Device device) const;
    /// Removes the folder with all it holds.
    void clear() const;

private:
    [[nodiscard]] std::filesystem::path path_of(const std::string& text) const;

    std::filesystem::path folder_;
    std::string model_key_;
};

}  // namespace reelyard::pipeline
