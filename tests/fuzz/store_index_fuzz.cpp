#include <set>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/store/store_index.hpp"

#include "fuzz_target.hpp"
#include "guarded_memory.hpp"

namespace reelyard::fuzz {
namespace {

using store::StoredComponent;
using store::StoredTensor;
using store::StoreIndex;

__extension__ using Wide = __int128;

constexpr const char* place = "folder/model.h5";
constexpr std::size_t longest_input = std::size_t{8} << 20U;

void check_tensor(const StoredTensor& tensor, const StoredComponent& component) {
    Wide bytes = tensor.dtype == DType::float32 ? 4 : 2;
    for (const std::int64_t extent : tensor.shape) {
        expect(extent >= 0, "a negative extent");
        bytes *= extent;
        expect(bytes <= INT64_MAX, "more bytes than a file can have");
    }
    expect(bytes == tensor.bytes, "bytes that contradict the shape");
    expect(tensor.offset >= 0 && Wide{tensor.offset} + tensor.bytes <= component.slab_bytes,
           "a tensor outside its slab");
    expect(tensor.offset % 64 == 0, "a tensor that is not aligned");
    expect(!tensor.transposed || tensor.shape.size() == 2, "a transposed tensor that is no matrix");
}

void check_index(const StoreIndex& index) {
    std::set<std::string> components;
    for (const StoredComponent& component : index.components) {
        expect(components.insert(component.name).second, "two components of one name");
        std::set<std::string> names;
        std::int64_t end = 0;
        for (const StoredTensor& tensor : component.tensors) {
            check_tensor(tensor, component);
            expect(names.insert(tensor.name).second, "two tensors of one name");
            expect(tensor.offset >= end, "tensors that overlap");
            end = tensor.offset + tensor.bytes;
            expect(tensor.source >= 0 && std::cmp_less(tensor.source, index.sources.size()),
                   "a tensor from nowhere");
        }
    }
    for (const auto* files : {&index.files, &index.sources}) {
        for (const store::StoredFile& file : *files) {
            expect(file.bytes >= 0, "a file of negative size");
        }
    }
    const std::string text = store::to_json(index);
    expect(store::to_json(store::store_index_from_json(text, place)) == text,
           "an index that does not survive its text form");
}

}  // namespace

Target make_target(const std::string& corpus) {
    return {
        .name = "store_index",
        .seeds = read_files(corpus + "/store_index"),
        .frame = [](const std::string& text, std::size_t) { return text; },
        .lie = [](std::string&, Random&) {},
        .check =
            [](std::string_view input) {
                static GuardedMemory memory(longest_input);
                return read_or_refuse(
                    [&] { check_index(store::store_index_from_json(memory.hold(input), place)); },
                    place);
            }};
}

}  // namespace reelyard::fuzz
