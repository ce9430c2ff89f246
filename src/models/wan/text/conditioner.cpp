#include "wan/text/conditioner.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/text/prompt_cleaning.hpp"

namespace reelyard::models::wan {

TextConditioner::TextConditioner(std::unique_ptr<text::Tokenizer> tokenizer, TextEncoder encoder)
    : tokenizer_(std::move(tokenizer))
    , encoder_(std::move(encoder)) {}

Conditioning TextConditioner::encode(const std::string& text) const {
    const text::Tokens tokens = tokenizer_->encode(text::clean_prompt(text), context_length);
    const at::Tensor ids =
        at::tensor(tokens.ids, at::kLong).narrow(0, 0, tokens.length).unsqueeze(0);
    return {.tensors = {{"context", encoder_.encode(ids, at::ones_like(ids))}}};
}

}  // namespace reelyard::models::wan
