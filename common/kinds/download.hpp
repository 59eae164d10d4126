#pragma once
#include "common/kinds/kind.hpp"

namespace eole::kinds {

inline constexpr double kDownloadPartsMax = 10'000;
inline constexpr Argument kDownloadArguments[] = {
    {"url",
     Type::kWebUrl,
     "what to fetch: http://, https://; ftp://, sftp://, s3:// where a worker allows it",
     true,
     {},
     1,
     kUrlBytesMax},
    {"sha256", Type::kSha256, "the digest it must have, 64 hexadecimal letters"},
    {"md5", Type::kText, "… and this MD5, in hexadecimal", false, {}, 32, 32},
    {"sha1", Type::kText, "… and this SHA-1", false, {}, 40, 40},
    {"blake2b", Type::kText, "… and this BLAKE2b of 512 bits", false, {}, 128, 128},
    {"mirrors", Type::kTexts, "other URLs of the same file, tried in turn", false, {}, 1, 64},
    {"name",
     Type::kText,
     "the artifact's name [the server's, else the URL's]",
     false,
     {},
     1,
     kNameBytesMax},
    {"part",
     Type::kInteger,
     "only this one of `parts` stretches of the file, from 1",
     false,
     {},
     1,
     kDownloadPartsMax},
    {"parts",
     Type::kInteger,
     "stretches that the file is divided into, for as many tasks",
     false,
     {},
     1,
     kDownloadPartsMax},
    {"size_max", Type::kInteger, "bytes; a larger file fails", false, "17179869184", 0,
     kFileBytesMax},
    {"timeout", Type::kNumber, "seconds for the whole task, tries and pauses too; 0: none", false,
     "0", 0, kSecondsMax},
    {"retries", Type::kInteger, "more tries after one that broke off", false, "5", 0, 100},
    {"rate", Type::kInteger, "bytes a second at most; 0: as fast as it goes", false, "0", 0,
     kFileBytesMax},
    {"low_speed_bytes", Type::kInteger, "a second; slower for low_speed_seconds is given up", false,
     "100", 0, kFileBytesMax},
    {"low_speed_seconds", Type::kInteger, "seconds", false, "60", 1, 86400},
};

inline constexpr Kind kDownload{
    .name = "download",
    .about = "Fetch a file over HTTP or HTTPS.",
    .result =
        "the file as an artifact, done only with every byte of one version; resumes where it "
        "broke off if a strong validator vouches for it",
    .runner = Runner::kThread,
    .arguments = kDownloadArguments,
    .per_word = "url",
};

}  // namespace eole::kinds
