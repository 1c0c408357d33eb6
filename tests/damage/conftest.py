import sys
from pathlib import Path

# for mutations and limited
sys.path.insert(0, str(Path(__file__).parent))
