"""kills -- kill -9 before each call by which a command changes a file, and at random instants; then it goes on."""
import os
import random
import signal
import subprocess
import time

import faults


def at_every_call(work, most=None):
    """(calls, kills, list of what went wrong)"""
    calls = work.count()
    wrong, kills = [], 0
    for at in faults.pick(calls, most):
        work.clear()
        code, fault, seen = work.shim(at=at, do="kill")
        if code != -signal.SIGKILL or seen["fired"] == 0:
            wrong.append(f"{work.name}, call {at}: it was not killed ({code}) {fault.strip()}")
            continue
        kills += 1
        said = work.resume()
        if said:
            wrong.append(f"{work.name}, killed before call {at} ({seen['what']}): {said}")
        faults.progress(f"{work.name} {at}/{calls} {wrong[-1:] if said else ''}")
    return calls, kills, wrong


def at_random(work, kills, seed=1, each=3):
    """The same output is killed `each` times at random instants, then finished: (kills, times finished, list of what
    went wrong)"""
    chance, done, resumed, wrong = random.Random(seed), 0, 0, []
    work.clear()
    started = time.monotonic()
    faults.need(work.arguments, work.folder)
    length = time.monotonic() - started
    while done < kills:
        work.clear()
        for _ in range(each):
            process = subprocess.Popen([faults.PROGRAM, *work.arguments], cwd=work.folder, env=faults.settings(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(chance.uniform(0, length))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            if process.wait() == -signal.SIGKILL:
                done += 1
        said = work.resume()
        resumed += 1
        if said:
            wrong.append(f"{work.name}, after {done} kills: {said}")
        faults.progress(f"{work.name} {done}/{kills} {wrong[-1:] if said else ''}")
    return done, resumed, wrong
