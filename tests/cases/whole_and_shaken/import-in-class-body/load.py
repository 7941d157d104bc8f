class Loader:
    import plug
