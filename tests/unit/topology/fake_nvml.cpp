// Stands for NVIDIA's library: four GPUs, two on each socket. FAKE_NVML chooses the links: "none";
// "pairs" (bridges 0-1 and 2-3 of four links each); "switch" (18 links each to a switch); "broken"
// (the driver does not answer).
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int success = 0;
constexpr int failure = 999;
constexpr unsigned gpus = 4;

struct Device {
    unsigned index;
};
std::array<Device, gpus> devices{{{0}, {1}, {2}, {3}}};

struct Memory {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
};

std::string links() {
    const char* wish = std::getenv("FAKE_NVML");
    return wish == nullptr ? "none" : wish;
}

unsigned links_of_gpu() {
    return links() == "switch" ? 18 : links() == "pairs" ? 4 : 0;
}

int write(unsigned value, unsigned* to) {
    *to = value;
    return success;
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
    return links() == "broken" ? failure : success;
}

int nvmlShutdown() {
    return success;
}

int nvmlDeviceGetCount_v2(unsigned* count) {
    return write(gpus, count);
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device** device) {
    *device = &devices.at(index);
    return success;
}

int nvmlDeviceGetName(Device* /*device*/, char* name, unsigned length) {
    std::snprintf(name, length, "NVIDIA A100 80GB PCIe");
    return success;
}

int nvmlDeviceGetUUID(Device* device, char* id, unsigned length) {
    std::snprintf(id, length, "GPU-%u", device->index);
    return success;
}

int nvmlDeviceGetMemoryInfo(Device* /*device*/, Memory* memory) {
    memory->total = 80ULL << 30U;
    return success;
}

int nvmlDeviceGetCpuAffinity(Device* device, unsigned words, unsigned long* mask) {
    std::memset(mask, 0, words * sizeof(unsigned long));
    mask[0] = device->index < 2 ? 0x0fUL : 0xf0UL;
    return success;
}

int nvmlDeviceGetMaxPcieLinkGeneration(Device* /*device*/, unsigned* generation) {
    return write(4, generation);
}

int nvmlDeviceGetMaxPcieLinkWidth(Device* /*device*/, unsigned* lanes) {
    return write(16, lanes);
}

int nvmlDeviceGetNvLinkState(Device* /*device*/, unsigned link, unsigned* active) {
    return link < links_of_gpu() ? write(1, active) : failure;
}

int nvmlDeviceGetNvLinkVersion(Device* /*device*/, unsigned /*link*/, unsigned* version) {
    return write(links() == "switch" ? 4 : 3, version);
}

int nvmlDeviceGetNvLinkRemoteDeviceType(Device* /*device*/, unsigned /*link*/, unsigned* type) {
    return write(links() == "switch" ? 2 : 0, type);
}

int nvmlDeviceGetP2PStatus(Device* from, Device* to, unsigned capability, unsigned* status) {
    const bool leads =
        links() == "switch" || (links() == "pairs" && from->index / 2 == to->index / 2);
    return write(capability == 2 && leads ? 0 : 5, status);
}

}  // extern "C"
