#pragma once
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// POST /upload, GET /status?file_name=, GET /download?file_name=, and /uploads (tus).
void add_uploads(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
