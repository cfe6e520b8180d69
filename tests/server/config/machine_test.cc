// The parts that look at the machine: state folder, environment, files.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "server/config/load.h"
#include "tests/tls/crypto/test_ca.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::config {
namespace {

TEST(StateFolder, IsWhatWasSaid) {
  EXPECT_EQ(DefaultStateFolder({{"HANDFAST_STATE_DIR", "/srv/h"}, {"HOME", "/x"}}), "/srv/h");
}

TEST(StateFolder, OfAUserIsBelowHome) {
  if (geteuid() == 0 || access("/var/lib/handfast", W_OK) == 0) {
    EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}}), "/var/lib/handfast");
    return;
  }
  EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}}), "/x/.local/state/handfast");
  EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}, {"XDG_STATE_HOME", "/y"}}), "/y/handfast");
  EXPECT_EQ(DefaultStateFolder({{"HOME", "/x"}, {"XDG_STATE_HOME", "relative"}}),
            "/x/.local/state/handfast");
}

TEST(Environment, IsOursAlone) {
  setenv("HANDFAST_LOG_LEVEL", "debug", 1);
  setenv("SOME_SECRET_OF_ANOTHER", "x", 1);
  const auto environment = ProcessEnvironment();
  EXPECT_EQ(environment.at("HANDFAST_LOG_LEVEL"), "debug");
  EXPECT_EQ(environment.count("SOME_SECRET_OF_ANOTHER"), 0U);
}

TEST(Files, AreReadOrSaidWhyNot) {
  const std::string path = ::testing::TempDir() + "/handfast.yaml";
  std::ofstream(path) << "log: {}\n";
  EXPECT_EQ(*ReadDocument(path), "log: {}\n");
  EXPECT_TRUE(CheckReadable(path).ok());
  EXPECT_TRUE(absl::IsNotFound(ReadDocument(path + ".not").status()));
  EXPECT_NE(ReadDocument(path + ".not").status().message().find(path + ".not"), std::string::npos);
  EXPECT_FALSE(CheckReadable(::testing::TempDir()).ok()) << "a folder";
  EXPECT_FALSE(CheckReadable("/dev/null").ok()) << "a device";
}

class NamedFiles : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    std::string path = ::testing::TempDir() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  std::string Certificates(const std::string& text) {
    return std::string(CheckNamedFile({.path = Write("c.pem", text)}).message());
  }
  std::string Key(const std::string& text, const std::string& certificate) {
    return std::string(CheckNamedFile({.path = Write("k.pem", text),
                                       .content = NamedFile::Content::kPrivateKey,
                                       .certificate_file = Write("c.pem", certificate)})
                           .message());
  }
  const tls::test::TestCa ca_ = tls::test::TestCa::Create("CA");
  const tls::test::Leaf leaf_ = ca_.Issue();
};

TEST_F(NamedFiles, HoldCertificatesThatParse) {
  EXPECT_EQ(Certificates(leaf_.chain_pem), "");
  EXPECT_EQ(Certificates(leaf_.chain_pem + ca_.pem()), "");
  const std::string none = "holds no certificate in PEM, or one that does not parse";
  EXPECT_EQ(Certificates(""), none);
  EXPECT_EQ(Certificates(leaf_.key_pem), none);
  EXPECT_EQ(Certificates(leaf_.chain_pem.substr(0, 200)), none);
  EXPECT_EQ(Certificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), none);
}

TEST_F(NamedFiles, HoldRevocationListsThatParse) {
  const auto lists = [&](const std::string& text) {
    return std::string(
        CheckNamedFile({.path = Write("l.pem", text), .content = NamedFile::Content::kCrls})
            .message());
  };
  EXPECT_EQ(lists(tls::test::MakeCrl(ca_)), "");
  EXPECT_EQ(lists(tls::test::MakeCrl(ca_) + tls::test::MakeCrl(ca_)), "");
  EXPECT_EQ(lists(tls::test::MakeCrl(ca_, {.next_update_unix_s = 1577836801})), "")
      << "an expired one is told at the first peer";
  for (const std::string& text : {std::string(), ca_.pem(), tls::test::MakeCrl(ca_).substr(0, 200),
                                  tls::test::MakeCrl(ca_, {.sha1 = true})}) {
    EXPECT_NE(lists(text).find("holds no revocation list in PEM"), std::string::npos) << text;
  }
}

TEST_F(NamedFiles, HoldTheKeyOfTheirCertificate) {
  EXPECT_EQ(Key(leaf_.key_pem, leaf_.chain_pem), "");
  EXPECT_EQ(Key("", leaf_.chain_pem), "holds no unencrypted private key in PEM");
  EXPECT_EQ(Key(leaf_.chain_pem, leaf_.chain_pem), "holds no unencrypted private key in PEM");
  EXPECT_NE(Key(ca_.Issue().key_pem, leaf_.chain_pem).find("is not the key of the certificate in "),
            std::string::npos);
  EXPECT_EQ(Key(leaf_.key_pem, ""), "") << "that is the other file's mistake";
}

// What only the user who runs the service may be able to read.
class SecretFiles : public testing::Test {
 protected:
  static std::string Check(NamedFile::Content content, const std::string& text, int mode = 0600) {
    const std::string path = ::testing::TempDir() + "/secret";
    std::filesystem::remove(path);
    std::ofstream(path) << text;
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    return std::string(CheckNamedFile({.path = path, .content = content}).message());
  }
  static constexpr auto kStoreKey = NamedFile::Content::kStoreKey;
  static constexpr auto kPassword = NamedFile::Content::kPassword;
};

TEST_F(SecretFiles, TheStoresKeyIs64HexDigits) {
  const std::string digits = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD";
  ASSERT_EQ(digits.size(), 64u);
  EXPECT_EQ(Check(kStoreKey, digits), "");
  EXPECT_EQ(Check(kStoreKey, digits + "\n"), "");
  for (const std::string& wrong :
       {std::string(), digits.substr(1), digits.substr(1) + "\n", digits + "0", digits + "\n\n",
        digits.substr(1) + "g", "\n" + digits, digits + "\r\n"}) {
    EXPECT_EQ(Check(kStoreKey, wrong), "must hold 64 hex digits: openssl rand -hex 32 makes them")
        << wrong;
  }
}

TEST_F(SecretFiles, APasswordIsALine) {
  EXPECT_EQ(Check(kPassword, "secret"), "");
  EXPECT_EQ(Check(kPassword, "secret\nand a remark"), "");
  EXPECT_EQ(Check(kPassword, std::string(512, 'x') + "\n"), "");
  for (const std::string& wrong : {std::string(), std::string("\nsecret"), std::string(513, 'x')}) {
    EXPECT_EQ(Check(kPassword, wrong), "must begin with a line of 1 to 512 bytes") << wrong.size();
  }
}

TEST_F(SecretFiles, AreForTheirOwnerAlone) {
  for (const int mode : {0640, 0604, 0620, 0601}) {
    for (const auto content : {kStoreKey, kPassword}) {
      EXPECT_EQ(Check(content, std::string(64, 'a'), mode),
                "can be reached by others: chmod 600 it")
          << mode;
    }
  }
  EXPECT_EQ(Check(kStoreKey, std::string(64, 'a'), 0400), "");
}

}  // namespace
}  // namespace handfast::config
