#include "tls/wire/extensions.h"

namespace handfast::tls {

const Extension* Find(const Extensions& extensions, ExtensionType type) {
  for (const Extension& extension : extensions) {
    if (extension.type == type) return &extension;
  }
  return nullptr;
}

bool HasDuplicates(const Extensions& extensions) {
  for (size_t i = 1; i < extensions.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (extensions[i].type == extensions[j].type) return true;
    }
  }
  return false;
}

}  // namespace handfast::tls
