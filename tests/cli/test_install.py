"""test_install -- what is installed runs, finds its image worker, and can be linked by pkg-config."""
import os
import shutil
import subprocess

from cli_support import SMALL, Case, main, write

BUILD = os.environ.get("ASSAY_BUILD", "")
USE = """#include <stdio.h>
#include "datasets/base/digest.h"
#include "kernels/backend.h"
int main(void) {
    assay_digest digest;
    char hex[ASSAY_DIGEST_HEX];
    if (assay_digest_bytes("abc", 3, &digest) != ASSAY_OK) return 1;
    printf("%zu %s\\n", assay_backend_count(), assay_digest_hex(hex, &digest));
    return 0;
}
"""


class Install(Case):
    def setUp(self):
        super().setUp()
        self.prefix = self.path("prefix")
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", self.prefix], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def find(self, name):
        found = [os.path.join(where, name) for where, _, names in os.walk(self.prefix) if name in names]
        self.assertEqual(len(found), 1, name)
        return found[0]

    def test_the_installed_program_evaluates(self):
        write(self.folder, "small.yaml", SMALL)
        done = subprocess.run([self.find("assay"), "run", "small.yaml", "-q"], cwd=self.folder, capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(os.path.exists(self.path("out/small/report/index.html")))

    def test_a_program_links_the_installed_library(self):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None or shutil.which("pkg-config") is None:
            self.skipTest("no compiler or no pkg-config here")
        settings = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(self.find("assay.pc")))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "assay"], capture_output=True,
                               text=True, env=settings)
        self.assertEqual(flags.returncode, 0, flags.stderr)
        source = write(self.folder, "use.c", USE)
        with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
            sanitize = [line.strip().split("=", 1)[1] for line in cache if line.startswith("ASSAY_SANITIZE:")]
        extra = ["-fsanitize=" + sanitize[0]] if sanitize and sanitize[0] else []
        done = subprocess.run([compiler, source, "-o", self.path("use"), *extra, *flags.stdout.split()],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        used = subprocess.run([self.path("use")], capture_output=True, text=True)
        self.assertEqual(used.returncode, 0)
        self.assertIn("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", used.stdout)

    def test_no_private_header_is_installed(self):
        names = [name for _, _, names in os.walk(os.path.join(self.prefix, "include")) for name in names]
        self.assertIn("backends.def", names)
        self.assertEqual([name for name in names if name.endswith("_private.h")], [])


if __name__ == "__main__":
    main()
