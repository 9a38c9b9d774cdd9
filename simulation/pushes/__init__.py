"""A cloud in small for the real delivery code: store, stream, queues, function environments and partners' servers.

Functions run in processes of their own and push over real sockets of 127.0.0.1. What AWS gives them (the tables, the
stream, the queues and how Lambda reads these) is modelled in one process, in real time.
"""
