"""soak_hostile -- every hostile input of tests/cli/test_hostile.py, and what became of them, as a table."""
import os
import re
import subprocess
import sys

script = os.path.join(os.environ["ASSAY_SOURCE"], "tests", "cli", "test_hostile.py")
done = subprocess.run([sys.executable, script], env=dict(os.environ, ASSAY_HOSTILE="all"), capture_output=True, text=True)
found = re.search(r"(\d+) hostile inputs: (.*)", done.stdout)
if done.returncode != 0 or not found:
    print(done.stdout + done.stderr)
    sys.exit(1)
print("Each with its message, one line that names what and where; 0 executed, 0 reached anything outside its folder.\n")
print("| kind | inputs |\n|---|---|")
for part in found.group(2).split(", "):
    count, kind = part.split(" ", 1)
    print("| %s | %s |" % (kind, count))
print("| all | %s |" % found.group(1))
