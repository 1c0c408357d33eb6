import sys
from pathlib import Path

# for product_operands
sys.path.insert(0, str(Path(__file__).parent))
