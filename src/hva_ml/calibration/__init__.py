"""What later cohorts teach: margin -> probability, predicted -> actual total, outlook -> market.

Nothing here ties two accounts that the model tells apart, so that explanations carry through.
"""

from hva_ml.calibration.calibrated import Calibrated as Calibrated
from hva_ml.calibration.calibrated import calibrate as calibrate
from hva_ml.calibration.choice import Choice as Choice
from hva_ml.calibration.choice import choose as choose
from hva_ml.calibration.high_value import HighValue as HighValue
from hva_ml.calibration.high_value import among_the_best as among_the_best
from hva_ml.calibration.later import Later as Later
from hva_ml.calibration.later import Membership as Membership
from hva_ml.calibration.level import COHORT_SD as COHORT_SD
from hva_ml.calibration.level import level as level
from hva_ml.calibration.lifetime import KNOWN_BY as KNOWN_BY
from hva_ml.calibration.lifetime import Curve as Curve
from hva_ml.calibration.lifetime import LifetimeValue as LifetimeValue
from hva_ml.calibration.lifetime import LifetimeWindow as LifetimeWindow
from hva_ml.calibration.lifetime import lasting as lasting
from hva_ml.calibration.maps import Beta as Beta
from hva_ml.calibration.maps import Calibrator as Calibrator
from hva_ml.calibration.maps import Kind as Kind
from hva_ml.calibration.maps import Platt as Platt
from hva_ml.calibration.maps import fit as fit
from hva_ml.calibration.maps import from_dict as from_dict
from hva_ml.calibration.nowcast import LEAST_COHORTS as LEAST_COHORTS
from hva_ml.calibration.nowcast import LEAST_DAYS as LEAST_DAYS
from hva_ml.calibration.nowcast import Nowcast as Nowcast
from hva_ml.calibration.nowcast import nowcast as nowcast
from hva_ml.calibration.outlook import Outlook as Outlook
from hva_ml.calibration.outlook import day_terms as day_terms
from hva_ml.calibration.segments import Segments as Segments
from hva_ml.calibration.shared import shared_slope as shared_slope
from hva_ml.calibration.spread import Spread as Spread
from hva_ml.calibration.value_spread import ValueSpread as ValueSpread
