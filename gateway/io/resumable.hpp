#pragma once
#include <memory>

#include "gateway/io/intake.hpp"
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// /uploads and /uploads/{id}: tus 1.0.0. The intake is shared with the forms of POST /upload.
void add_resumable(Routes& routes, Gateway& gateway, std::shared_ptr<Intake> intake);

}  // namespace eole::gateway
