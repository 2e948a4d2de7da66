#!/usr/bin/env bash
# soak_digests -- every combination of what tests/backends/test_digests.py names; ASSAY_SOAK_WORK limits the
# multiplications of the reference for one set.
exec python3 "$ASSAY_SOURCE/tests/backends/test_digests.py" --whole
