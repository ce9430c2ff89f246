#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace reelyard::store {

/// All tensors of a safetensors file, on the CPU, contiguous. \throws Error (input) naming file and
/// tensor
[[nodiscard]] std::map<std::string, at::Tensor> read_tensors(const std::filesystem::path& path);

/// The texts attached to a safetensors file. \throws Error (input) naming the file
[[nodiscard]] std::map<std::string, std::string> read_metadata(const std::filesystem::path& path);

/// Writes a safetensors file: whole under its name, or not at all.
/// \param tensors any dtype that the format knows, on any device
/// \param metadata texts to attach
/// \throws Error (resources when the disk is full, storage otherwise)
void write_tensors(const std::filesystem::path& path,
                   const std::map<std::string, at::Tensor>& tensors,
                   const std::map<std::string, std::string>& metadata = {});

}  // namespace reelyard::store
