import core
del core.Settings.debug
