"""What the issue about checkpoints promises of the object store."""

from tests.requirements.model import Part, promise

B = "platform/blobs"

OBJECTS = Part(
    "The object store",
    (
        promise(
            "S4.store.format",
            "The format is written down first; SHA-256 of bytes as identity, zstd, shared by all projects.",
            f"{B}/test_store.py",
            f"{B}/test_processes.py::test_what_one_process_stores_another_does_not_store_again",
            note="docs/format/store.md; ADR 14.",
        ),
        promise(
            "S4.store.packs",
            "Packs with solid blocks for small files, immutable, written temp + fsync + rename, index last.",
            f"{B}/test_backends.py",
            f"{B}/test_crashes.py",
            note="The index is the last part of the pack itself; a name is given by link(2), which never overwrites.",
        ),
        promise(
            "S4.store.chunks",
            "Content-defined chunks for big files, streamed, bounded memory.",
            f"{B}/test_store.py::test_a_stream_of_any_size_comes_back",
            f"{B}/test_store.py::test_a_stream_that_trickles_gives_the_same_chunks_and_an_insertion_few_new_ones",
        ),
        promise(
            "S4.store.gc",
            "Mark-and-sweep gc with a grace time that is safe beside concurrent creates, in several processes.",
            f"{B}/test_sweeping.py",
            f"{B}/test_processes.py::test_writers_a_sweeper_and_kills_lose_nothing_that_is_wanted",
        ),
        promise(
            "S4.store.verify",
            "`verify` re-hashes; corruption is named, contained, and healed when the content is there. C16.",
            f"{B}/test_damage.py",
        ),
        promise(
            "S4.store.kill",
            "SIGKILL at every write, rename, fsync and unlink of commit and gc, then verify and a retry. C15, H1.",
            f"{B}/test_crashes.py::test_a_kill_at_any_step_loses_nothing",
        ),
        promise(
            "S4.store.disk",
            "Full disk, full inodes, EIO, EMFILE, read-only: told, nothing half there. H2, H4.",
            f"{B}/test_disks.py",
            f"{B}/test_crashes.py::test_a_disk_that_fails_at_any_step_is_told_and_loses_nothing",
        ),
        promise(
            "S4.store.bombs",
            "zstd bombs are refused by frame size and stream limit. C24.",
            f"{B}/test_bounds.py",
            f"{B}/test_carrying.py::test_an_export_that_expands_too_much_is_refused_before_anything_is_expanded",
        ),
        promise(
            "S4.store.carry",
            "Export and import of objects as one file; hostile imports are refused. C11.",
            f"{B}/test_carrying.py",
            note="An export is a pack: it holds digests, no paths.",
        ),
        promise(
            "S4.store.backend",
            "A small interface with one conformance suite (local now, S3 to come).",
            f"{B}/test_backends.py",
            note="Two backends pass it: the local one, and one in memory for tests.",
        ),
        promise(
            "S4.store.s3",
            "S3: PUT of an existing key, retries, a store that ignores If-None-Match. C22, C23.",
            later="With the S3 backend; names of packs are never used twice, so that put-if-absent is enough.",
        ),
        promise(
            "S4.store.secrets",
            "Encrypted store optional with a key from the keyring.",
            "platform/seal/test_content.py",
            "platform/seal/test_keys.py",
            "features/checkpoints/test_sealing.py::test_a_secret_is_never_kept_in_the_clear_and_comes_back",
            note="Secrets come sealed into the store; it knows of no encryption itself.",
        ),
    ),
)
