"""The embedded AWS: MiniStack on 127.0.0.1, with the project's own template deployed into it.

    stack.py        start, stop, status: what `towline up` and `towline down` call
    server.py       the process that runs MiniStack and brings it up; everything below happens inside it
    adapters.py     our hooks into private functions of one exact MiniStack version
    guard.py        the door: loopback hosts only, no writes on a full disk, the health answer
    pairs.py        an object's body and its metadata reach the disk together, or neither does
    state.py        the state of the other services, saved as whole generations
    deploy.py       template.yaml -> CloudFormation; package.py zips what it names
    bringup.py      deploy, warm the functions, reconcile the inbox
    editor.py       the Streamlit process
    lock.py datadir.py disk.py environment.py    what they stand on

Only this package imports MiniStack, and only inside the server process.
"""
