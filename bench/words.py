"""Made-up requests: varied Chinese sentences of about 120 characters with several thousand distinct pairs."""

from dataclasses import dataclass
from random import Random

FIRST = "清溪柳杨桂枫梅兰松竹荷莲云霞星月晨曙虹霁锦绣瑞祥福禄寿康宁和顺泰丰裕隆昌盛兴旺永安长乐春秋晴岚碧翠"
SECOND = "苑园庭轩阁居府邸湾畔岸洲滨港渡桥坊里巷弄街路坪坡岭岗丘谷泉井塘池湖堤堰畈垸墩台寨屯铺店市集门关口"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红鑫波斌宇浩凯健俊帆雪琴兰凤洁梅琳素云莲真环"

KINDS_OF_PLACE = (
    "小区",
    "小区",
    "小区",
    "菜市场",
    "步行街",
    "学校门口",
    "医院东侧",
    "公交站台",
    "安置房",
    "工业园",
    "老旧院落",
    "河道边",
)
TROUBLES = (
    "路灯连续多日不亮，夜间行人出行十分不便", "下水道堵塞外溢，污水流到路面，气味难闻",
    "施工工地夜间浇筑混凝土，噪声影响休息",
    "电梯频繁困人，物业维修后仍旧反复出现故障", "垃圾清运不及时，桶边堆满厨余，蚊蝇滋生",
    "自来水水压不足，高层住户早晚用水困难",
    "道路坑洼积水，电动车多次在此摔倒", "流动摊贩占道经营，上下班时段车辆无法通行", "供暖管道漏水，一楼墙面返潮发霉",
    "拖欠工资三个月，多次讨要没有结果", "楼上装修敲打承重墙，担心房屋结构安全", "绿化带树枝遮挡信号灯，司机看不清楚",
    "公交线路调整之后候车时间过长，老人就医不便", "燃气表显示异常，缴费以后依旧提示欠费",
    "预付卡商家关门停业，余额无法退还",
    "窨井盖破损松动，车辆经过响声很大", "广场音响声音过大，孩子晚上无法学习", "化粪池长期没有清掏，雨天倒灌进院子",
    "充电桩损坏率高，飞线充电存在火灾隐患", "违章搭建占用消防通道，消防车进不来", "养殖场排放粪水，灌溉沟渠变黑发臭",
    "停水没有提前通知，居民生活受到影响", "网络光纤被挖断，已经四天无法上网办公",
    "社保关系转移迟迟没有办结，影响退休手续",
    "租房押金到期不退，中介互相推诿", "河堤护栏缺失，儿童玩耍容易落水", "斑马线磨损模糊，学生过马路很危险",
    "烧烤店油烟直排，楼上住户不敢开窗", "公厕锁闭停用，附近市民找不到厕所", "低保申请材料提交以后没有音讯",
)  # fmt: skip
BEFORE = (
    "市民来电反映：", "来电人称，", "网友留言说，", "居民代表反映，", "我家住在附近，", "本人是这里的租户，",
    "多位街坊一同反映，", "之前拨打过热线，", "雨季到来以后，", "入冬以来，", "最近两个星期，", "从去年秋天开始，",
)  # fmt: skip
AFTER = (
    "社区工作人员来看过一次，但是没有下文", "物业答复说需要动用维修基金，让我们再等等",
    "曾向所属部门递交书面材料，至今未获答复",
    "附近住着许多老人和幼儿，希望引起重视", "邻居们为此事已经争吵过好几回", "夜里两点仍能听见响动，严重影响睡眠",
    "现场照片与录像已经保存，可以随时提供", "前后协调过三轮，双方意见仍然不一致", "商户营业额因此下降了一半",
    "孩子每天上学必须经过这一段", "维修师傅上门检查后表示缺少配件", "合同条款写得清清楚楚，对方却拒不履行",
)  # fmt: skip
ASKS = (
    "请尽快派人到现场核实处理。", "望相关部门督促整改并给予书面回复。", "要求明确完成时限，避免再次发生。",
    "恳请协调解决，保障居民正常生活。", "希望安排专人对接，告知处理进度。", "建议增设警示标志，并彻底维修。",
    "请依法查处，退还相应费用。", "盼望早日恢复原状，谢谢工作人员。",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What one made-up citizen says, and who they are."""

    title: str
    content: str
    name: str
    phone: str


def place_name(random: Random) -> str:
    return random.choice(FIRST) + random.choice(FIRST) + random.choice(SECOND)


def person(number: int) -> tuple[str, str]:
    """Name and phone of made-up person `number`; the same number is the same person."""
    random = Random(f"person {number}")
    name = random.choice(SURNAMES) + random.choice(GIVEN) + random.choice(("", random.choice(GIVEN)))
    return name, f"199{number:08d}"


def request(random: Random, number: int) -> Request:
    """One made-up request of person `number`."""
    place, kind, trouble = place_name(random), random.choice(KINDS_OF_PLACE), random.choice(TROUBLES)
    house = f"{random.randint(1, 60)}栋{random.randint(1, 6)}单元"
    content = (
        f"{random.choice(BEFORE)}{place}{kind}{house}{trouble}。{random.choice(AFTER)}，"
        f"{place_name(random)}一带也有类似情况：{random.choice(TROUBLES)}。{random.choice(AFTER)}。{random.choice(ASKS)}"
    )
    name, phone = person(number)
    return Request(f"{place}{kind}{trouble.split('，')[0]}", content, name, phone)
