"""coverage_table -- gcovr's summary as a Markdown table: lines and branches by room, and the files that are least reached."""
import json
import sys

ROOMS = ("datasets/base", "datasets/image_worker", "datasets", "kernels/cpu", "kernels", "reports", "harness/cli", "harness/worker",
         "harness/plugins", "harness")


def share(files, what):
    total = sum(entry[what + "_total"] for entry in files)
    reached = sum(entry[what + "_covered"] for entry in files)
    return "%d of %d (%.1f %%)" % (reached, total, 100 * reached / total if total else 100)


def main():
    with open(sys.argv[1], encoding="utf-8") as text:
        files = [entry for entry in json.load(text)["files"] if entry["filename"].endswith(".c")]
    print("| room | lines | branches |\n|---|---|---|")
    left = list(files)
    for room in ROOMS:
        own = [entry for entry in left if entry["filename"].startswith(room + "/")]
        left = [entry for entry in left if entry not in own]
        if own:
            print("| `%s` | %s | %s |" % (room, share(own, "line"), share(own, "branch")))
    print("| all | %s | %s |" % (share(files, "line"), share(files, "branch")))
    print("\nLeast reached:\n\n| file | lines | branches |\n|---|---|---|")
    for entry in sorted(files, key=lambda entry: entry["line_covered"] - entry["line_total"])[:15]:
        print("| `%s` | %s | %s |" % (entry["filename"], share([entry], "line"), share([entry], "branch")))


if __name__ == "__main__":
    main()
