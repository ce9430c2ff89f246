#include "failure.hpp"

#include <new>

namespace reelyard::dispatch {

Error to_error(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return {ErrorKind::resources, "out of memory"};
    } catch (const std::exception& error) {
        return {ErrorKind::internal, error.what()};
    }
}

}  // namespace reelyard::dispatch
