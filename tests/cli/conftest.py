import sys
from pathlib import Path

# for small_glove
sys.path.insert(0, str(Path(__file__).parent))
