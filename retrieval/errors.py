"""What can go wrong, by who must act.

ClippingsError
├── CorpusError        the folder of articles: missing, not a folder, nothing readable in it
├── IndexFault         the index on disk
│   ├── IndexMissing       nothing was indexed yet
│   ├── IndexBusy          another process is building it
│   ├── IndexDamaged       a file is not what the manifest says
│   ├── IndexMismatch      written by another format or another model
│   └── IndexUnwritable    the disk is full, read-only, or not ours
├── EngineFault        the engine that INDEX_URL names
│   ├── EngineAway         it does not answer, or refuses us
│   └── EngineBehind       it does not hold the generation, or not all of it
├── ClusterFault       the Dask cluster that --dask names: away, without workers, unlike us, failing
├── ModelError         the embedding model: missing, or a file that is not the one we trust
└── QuestionError      a question that can not be searched at all

Each message says what happened, where, and what to do now; it is written for the person at the
terminal. A message never reaches a Slack user.
"""


class ClippingsError(Exception):
    """Anything that Clippings reports in its own words."""


class CorpusError(ClippingsError):
    """The folder of articles can not be read; the user names another one."""


class IndexFault(ClippingsError):
    """The index on disk can not be used as it is."""


class IndexMissing(IndexFault):
    """Nothing was indexed yet; the user runs `clippings index`."""


class IndexBusy(IndexFault):
    """Another process is building the index; the user waits for it."""


class IndexDamaged(IndexFault):
    """A file of the index is missing or changed; the user indexes anew."""


class IndexMismatch(IndexFault):
    """The index was written by another format or another model; the user indexes anew."""


class IndexUnwritable(IndexFault):
    """The index can not be written; the user makes room or grants access."""


class EngineFault(ClippingsError):
    """The engine that was chosen can not search; the operator sees to it."""


class EngineAway(EngineFault):
    """The engine does not answer or refuses us; the operator starts it or corrects a setting."""


class EngineBehind(EngineFault):
    """The engine does not hold all of the generation; the user runs `clippings index`."""


class ClusterFault(ClippingsError):
    """The cluster can not make a shard; the operator sees to its workers, or does without them."""


class ModelError(ClippingsError):
    """The embedding model is missing or altered; the operator installs it again."""


class QuestionError(ClippingsError):
    """The question can not be searched; the asker shortens or rewrites it."""
