"""Measures Python's pools of processes. usage: pools.py what jobs workers repetitions

Prints the nanoseconds per job, a line for each repetition; "not installed" if the library is not there.
"""
import array
import multiprocessing
import sys
from time import perf_counter


def double(x):
    return 2 * x


def ends(a):
    return a[0] + a[-1]


def zeros(n):
    return array.array("d", bytes(8 * n))


def joblib(workers):
    try:
        from joblib import Parallel, delayed
    except ImportError:
        print("not installed")
        sys.exit()
    parallel = Parallel(n_jobs=workers)
    return parallel, lambda x: parallel(delayed(double)(v) for v in x)


def dask(workers):
    try:
        from distributed import Client
    except ImportError:
        print("not installed")
        sys.exit()
    client = Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    return client, lambda x: client.gather(client.map(double, x))


def main():
    what, jobs, workers, repetitions = sys.argv[1], *map(int, sys.argv[2:])
    context = multiprocessing.get_context("spawn" if "spawn" in what else "fork")
    inputs = [float(i) for i in range(jobs)]
    if "slice-in" in what:
        inputs = [zeros(int(what.split("-")[-1]))] * jobs
    if "slice-out" in what:
        inputs = [int(what.split("-")[-1])] * jobs

    def pool():
        if what.startswith("executor"):
            from concurrent.futures import ProcessPoolExecutor

            p = ProcessPoolExecutor(workers, mp_context=context)
            return p, lambda x: list(p.map(double, x))
        if what.startswith("joblib"):
            return joblib(workers)
        if what.startswith("dask"):
            return dask(workers)
        p = context.Pool(workers)
        if "slice" in what:
            work = ends if "slice-in" in what else zeros
            return p, lambda x: sum(1 for _ in p.imap(work, x))
        return p, lambda x: p.map(double, x, 1 if "one" in what else None)

    if "start" in what:  # a pool for each repetition, and its start counts
        for _ in range(repetitions):
            start = perf_counter()
            p, run = pool()
            with p:
                run(inputs)
                end = perf_counter()
            print((end - start) * 1e9 / jobs)
        return
    p, run = pool()
    with p:
        run(inputs[:100])
        for _ in range(repetitions):
            start = perf_counter()
            run(inputs)
            print((perf_counter() - start) * 1e9 / jobs)


if __name__ == "__main__":
    main()
