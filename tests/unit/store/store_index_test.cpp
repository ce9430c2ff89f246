#include "reelyard/store/store_index.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

namespace reelyard::store {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

StoredTensor tensor(const std::string& name, std::vector<std::int64_t> shape, DType dtype) {
    StoredTensor made{.name = name, .dtype = dtype, .shape = std::move(shape)};
    made.bytes = size_of(dtype);
    for (const std::int64_t extent : made.shape) {
        made.bytes *= extent;
    }
    return made;
}

StoreIndex make_index() {
    StoredComponent component{.name = "transformer", .class_name = "Some"};
    component.tensors = {tensor("b.weight", {700, 500}, DType::float32),
                         tensor("a.weight", {3, 5}, DType::bfloat16)};
    component.tensors[0].transposed = true;
    component.tensors[0].checksum = 0xfedcba9876543210U;
    component.tensors[0].crc32 = 0x00c0ffeeU;
    lay_out(component);
    StoreIndex index{.family = "wan", .components = {component}};
    index.files = {{.path = "model_index.json", .bytes = 12, .checksum = 5}};
    index.sources = {{.path = "transformer/x.safetensors", .bytes = 99, .checksum = 7}};
    return index;
}

std::string refusal(const json& value) {
    try {
        (void)store_index_from_json(value.dump(), "m.h5");
        return "";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), HasSubstr("m.h5"));
        return error.what();
    }
}

TEST(StoreIndex, survives_its_text_form) {
    const StoreIndex index = make_index();

    const StoreIndex found = store_index_from_json(to_json(index), "m.h5");

    EXPECT_EQ(to_json(found), to_json(index));
    EXPECT_EQ(found.family, "wan");
    const StoredComponent& component = found.component("transformer");
    EXPECT_EQ(component.class_name, "Some");
    ASSERT_EQ(component.tensors.size(), 2U);
    EXPECT_EQ(component.tensors[0].name, "a.weight");
    EXPECT_EQ(component.tensors[1].dtype, DType::float32);
    EXPECT_THAT(component.tensors[1].shape, ElementsAre(700, 500));
    EXPECT_TRUE(component.tensors[1].transposed);
    EXPECT_EQ(component.tensors[1].checksum, 0xfedcba9876543210U);
    EXPECT_EQ(component.tensors[1].crc32, 0x00c0ffeeU);
    EXPECT_EQ(component.tensors[0].crc32, std::nullopt);
    EXPECT_EQ(found.sources[0].bytes, 99);
}

TEST(StoreIndex, ignores_keys_it_does_not_know) {
    json value = json::parse(to_json(make_index()));
    value["later"] = 1;
    value["components"][0]["tensors"][0]["later"] = json::object();

    EXPECT_EQ(refusal(value), "");
}

TEST(StoreIndex, refuses_tensors_outside_their_slab) {
    json value = json::parse(to_json(make_index()));
    json& first = value["components"][0]["tensors"][1];
    const auto slab = value["components"][0]["slab_bytes"].get<std::int64_t>();

    first["offset"] = slab / 64 * 64;
    EXPECT_THAT(refusal(value), HasSubstr("tensor 'b.weight' lies at bytes"));
    first["offset"] = INT64_MAX / 64 * 64;
    EXPECT_THAT(refusal(value), HasSubstr("tensor 'b.weight' lies at bytes"));
    first["offset"] = -64;
    EXPECT_THAT(refusal(value), HasSubstr("expected a size"));
    first["offset"] = 1;
    EXPECT_THAT(refusal(value), HasSubstr("tensor 'b.weight' starts at byte 1"));
    first["offset"] = 0;
    EXPECT_THAT(refusal(value), HasSubstr("inside the one before it"));
}

TEST(StoreIndex, refuses_sizes_that_contradict_shapes) {
    json value = json::parse(to_json(make_index()));
    json& first = value["components"][0]["tensors"][0];

    first["shape"] = {3, 6};
    EXPECT_THAT(refusal(value), HasSubstr("tensor 'a.weight' has 30 bytes (expected 36"));
    first["shape"] = {INT64_MAX, INT64_MAX};
    EXPECT_THAT(refusal(value), HasSubstr("more than fit in a file"));
    first["shape"] = {3, 5};
    first["dtype"] = "float8";
    EXPECT_THAT(refusal(value), HasSubstr("unknown dtype 'float8'"));
}

TEST(StoreIndex, refuses_doubles_and_broken_text) {
    json value = json::parse(to_json(make_index()));
    value["components"][0]["tensors"][0]["name"] = "b.weight";
    EXPECT_THAT(refusal(value), HasSubstr("'b.weight' stands twice"));

    value = json::parse(to_json(make_index()));
    value["components"][0]["tensors"][0]["checksum"] = "xyz";
    EXPECT_THAT(refusal(value), HasSubstr("is no checksum"));
    value["components"][0]["tensors"][0].erase("checksum");
    EXPECT_THAT(refusal(value), HasSubstr("key 'checksum' not found"));
    EXPECT_THAT(refusal(value), HasSubstr("tensor 0 of component 'transformer'"));
    EXPECT_THAT(refusal(json(5)), HasSubstr("index"));
    EXPECT_THROW((void)store_index_from_json("{", "m.h5"), Error);
}

TEST(StoreIndex, has_the_same_size_whatever_its_checksums_are) {
    StoreIndex index = make_index();
    const std::size_t size = to_json(index).size();

    index.components[0].tensors[1].crc32 = 0xffffffffU;
    index.components[0].tensors[1].checksum = 1;

    EXPECT_EQ(to_json(index).size(), size);
}

TEST(StoreIndex, refuses_a_crc32_of_other_than_8_digits) {
    json value = json::parse(to_json(make_index()));
    for (const json& wrong : {json("12345"), json("123456789"), json("1234567g"), json(7)}) {
        value["components"][0]["tensors"][0]["crc32"] = wrong;
        EXPECT_THAT(refusal(value), HasSubstr("is no checksum (expected 8 hexadecimal digits)"));
    }
}

TEST(StoreIndex, refuses_objects_and_numbers_where_lists_belong) {
    for (const char* key : {"components", "files", "sources"}) {
        json value = json::parse(to_json(make_index()));
        value[key] = {{"name", "transformer"}};
        EXPECT_THAT(refusal(value), HasSubstr(key));
        EXPECT_THAT(refusal(value), HasSubstr("expected a list"));
    }
    json value = json::parse(to_json(make_index()));
    value["components"][0]["tensors"][0]["shape"] = 15;
    EXPECT_THAT(refusal(value), HasSubstr("'shape' is 15 (expected a list)"));
}

TEST(StoreIndex, refuses_keys_that_stand_twice) {
    std::string text = to_json(make_index());
    text.replace(text.find("\"dtype\""), 7, "\"bytes\":5,\"dtype\"");
    try {
        (void)store_index_from_json(text, "m.h5");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("\"bytes\" stands twice"));
        EXPECT_THAT(error.what(), HasSubstr("m.h5"));
    }
}

TEST(StoreIndex, refuses_text_of_broken_characters_in_a_message_that_can_be_logged) {
    std::string text = to_json(make_index());
    text.insert(text.find("transformer"), "\xff\xc0");
    try {
        (void)store_index_from_json(text, "m.h5");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("ill-formed UTF-8"));
        EXPECT_NO_THROW((void)json(error.what()).dump());
    }
}

TEST(StoreIndex, refuses_texts_that_c_functions_would_cut) {
    json value = json::parse(to_json(make_index()));
    value["components"][0]["tensors"][0]["name"] = std::string("a\0b", 3);
    EXPECT_THAT(refusal(value), HasSubstr(R"("a\u0000b" holds a control character)"));
}

TEST(StoreIndex, refuses_deep_nesting_in_a_short_message) {
    const std::string nest = std::string(1'000'000, '[') + std::string(1'000'000, ']');
    std::string text = to_json(make_index());
    text.replace(text.find("\"slab_bytes\":"), 13, "\"slab_bytes\":" + nest + ",\"x\":");
    try {
        (void)store_index_from_json(text, "m.h5");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("nested deeper than 32 levels"));
        EXPECT_LT(error.message().size(), 200U);
    }
}

TEST(StoreIndex, lays_tensors_out_in_natural_order_and_aligned) {
    StoredComponent component;
    component.tensors = {tensor("blocks.10.w", {1024, 512}, DType::float32),  // 2 MiB
                         tensor("blocks.2.b", {5}, DType::float32),
                         tensor("blocks.2.w", {1024, 512}, DType::float32),
                         tensor("blocks.10.b", {5}, DType::float32),
                         tensor("a", {1}, DType::float16)};

    lay_out(component);

    std::vector<std::string> names;
    std::vector<std::int64_t> offsets;
    for (const StoredTensor& t : component.tensors) {
        names.push_back(t.name);
        offsets.push_back(t.offset);
    }
    EXPECT_THAT(names, ElementsAre("a", "blocks.2.b", "blocks.2.w", "blocks.10.b", "blocks.10.w"));
    // Small ones at multiples of 64 bytes, large ones at multiples of 4096.
    EXPECT_THAT(offsets, ElementsAre(0, 64, 4096, 4096 + 2097152, 8192 + 2097152));
    EXPECT_EQ(component.slab_bytes, 8192 + 2 * 2097152);
}

}  // namespace
}  // namespace reelyard::store
