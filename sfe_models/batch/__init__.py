"""Many pictures with one edit: a folder, a list, a film; one process, several, a cluster.

    find.py       which pictures the inputs name, and what each is called in the output folder
    sharing.py    which of them this process takes, by a hash of the name
    settings.py   batch.json: what was asked for, so that nobody mixes two edits in one folder
    manifest.py   one JSON line a picture; the lines of several processes become one file
    storage.py    folders, and object storage through fsspec
    pace.py       how many faces and threads at once, by the machine
    work.py       what is done with a picture: read, edit, write; given by the caller
    overheard.py  the library's warnings go into the line of the picture that they are about
    run.py        the loop: threads read ahead and write behind while the networks compute
    cluster.py    the loop in the workers of a Ray cluster

What makes it safe to stop at any moment: a picture is written beside the output and put in its place whole, then its
line is added. A start takes every picture whose line or whose output is not there. Nothing else is remembered.
"""
