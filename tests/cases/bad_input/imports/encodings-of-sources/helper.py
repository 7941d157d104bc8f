# -*- coding: latin-1 -*-
TEXT = 'é'
