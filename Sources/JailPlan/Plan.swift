import SpecFile
