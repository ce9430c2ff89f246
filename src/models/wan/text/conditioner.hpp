#pragma once

#include <memory>
#include <string>

#include "reelyard/models/conditioner.hpp"
#include "reelyard/text/tokenizer.hpp"

#include "wan/text/text_encoder.hpp"

namespace reelyard::models::wan {

/// Text through cleaning, tokenizer and text encoder. Only the rows of the text itself are
/// computed: the transformer knows what the rows of the padding are.
class TextConditioner final : public Conditioner {
public:
    TextConditioner(std::unique_ptr<text::Tokenizer> tokenizer, TextEncoder encoder);

    /// \returns "context" [1, L, D] of the weights' type, L <= context_length
    [[nodiscard]] Conditioning encode(const std::string& text) const override;

private:
    std::unique_ptr<text::Tokenizer> tokenizer_;
    TextEncoder encoder_;
};

}  // namespace reelyard::models::wan
