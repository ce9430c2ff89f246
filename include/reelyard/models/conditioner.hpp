#pragma once

#include <string>

#include "reelyard/models/conditioning.hpp"

namespace reelyard::models {

/// Turns the text of a prompt into what the transformer is conditioned on.
class Conditioner {
public:
    Conditioner() = default;
    Conditioner(const Conditioner&) = delete;
    Conditioner& operator=(const Conditioner&) = delete;
    virtual ~Conditioner() = default;

    /// One text, batch 1; any text, the empty one, too. The result depends on the text alone, never
    /// on other texts. Collective over the ranks that compute it together.
    /// \throws Error (input) for what the text alone decides, before anything is exchanged
    [[nodiscard]] virtual Conditioning encode(const std::string& text) const = 0;
};

}  // namespace reelyard::models
