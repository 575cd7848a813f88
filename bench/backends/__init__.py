"""Backends: the class `Backend`, one file per framework, and `backend(name)` to find one."""

from bench.backends.interface import AS_SHIPPED as AS_SHIPPED
from bench.backends.interface import TF32 as TF32
from bench.backends.interface import Absent as Absent
from bench.backends.interface import Asked as Asked
from bench.backends.interface import Backend as Backend
from bench.backends.interface import Binder as Binder
from bench.backends.interface import Bound as Bound
from bench.backends.interface import Loop as Loop
from bench.backends.interface import bound as bound
from bench.backends.interface import extended as extended
from bench.backends.interface import lived as lived
from bench.backends.interface import release as release
from bench.backends.interface import stepped as stepped
from bench.backends.lookup import FURTHER as FURTHER
from bench.backends.lookup import SHIPPED as SHIPPED
from bench.backends.lookup import backend as backend
from bench.backends.lookup import lineage as lineage
from bench.backends.lookup import optional as optional
