"""Words that betray a category, in English, Danish and Chinese (both scripts). Data, written by hand for this project.

A word stands in one category only (tests/content/test_category.py). Words of five letters and more also match as the
beginning of a word, the longest one first: `fodbold` finds `fodboldkamp`, `politi` does not find `politics`, which is
listed itself. The categories are those of contracts/ids.py.
"""

TEXT = {
    "politics": """
        election elections senate senator congress congressman democrat democrats democratic republican
        republicans impeachment impeach trump biden parliament lawmaker lawmakers president presidential vote
        voters ballot campaign governor mayor politics political politician politicians caucus pelosi gop minister
        valg folketing folketinget statsminister statsministeren regering regeringen ministeren venstre
        socialdemokratiet politik politiker politikere politisk borgmester
        选举 選舉 总统 總統 国会 國會 参议院 參議院 议员 議員 民主党 民主黨 共和党 共和黨 弹劾 彈劾 特朗普 政府
        总理 總理 部长 部長 州长 州長 市长 市長 投票
    """,
    "world": """
        ukraine russia russian china chinese syria iran iraq israel gaza nato kremlin beijing diplomat embassy
        refugees ceasefire war troops military sanctions treaty turkey isis krig rusland kina udland flygtninge
        krigen udenrigs soldater
        外交 联合国 聯合國 战争 戰爭 俄罗斯 俄羅斯 乌克兰 烏克蘭 以色列 伊朗 难民 難民 制裁 军队 軍隊 香港
    """,
    "business": """
        stock stocks market markets shares earnings profit profits revenue investors economy economic bank banks
        inflation tariff tariffs merger ceo company companies startup retail sales jobs unemployment dividend ipo
        mortgage bankruptcy trade billion fed workers aktie aktier virksomhed virksomheder økonomi banken renten
        rente fyrer omsætning overskud boligpriser erhverv arbejdskraft nationalbanken
        股市 股票 经济 經濟 银行 銀行 公司 企业 企業 通胀 通脹 利率 投资 投資 营收 營收 关税 關稅 贸易 貿易 上市
        裁员 裁員
    """,
    "technology": """
        software hardware chip chips smartphone iphone android app apps google apple facebook microsoft amazon
        internet cyber hacker hackers robot robots ai computer laptop algorithm 5g cloud data privacy silicon
        semiconductor teknologi robotter mobiltelefon hackere
        科技 芯片 晶片 手机 手機 人工智能 互联网 互聯網 网络 網絡 软件 軟件 机器人 機器人 电脑 電腦 算法 苹果 蘋果
        谷歌 数据 數據 半导体 半導體
    """,
    "science": """
        scientist scientists nasa space planet planets mars moon asteroid astronomers telescope physics quantum
        fossil fossils dinosaur species galaxy spacex rocket laboratory researchers experiment genome forskere
        forsker videnskab rummet rumfart kvante
        科学 科學 科学家 科學家 太空 宇宙 行星 火星 月球 量子 物理 化石 恐龙 恐龍 望远镜 望遠鏡 基因 实验 實驗
        航天
    """,
    "health": """
        health doctor doctors hospital patient patients cancer disease virus vaccine vaccines diet weight symptoms
        medical medicine drug drugs fda flu diabetes nutrition workout fitness exercise sleep mental obesity
        measles dementia belly vaping sundhed læge læger lægerne sygehus sygdom kræft influenza medicin patienter
        vægttab
        健康 医生 醫生 医院 醫院 病毒 疫苗 癌症 患者 疾病 药物 藥物 减肥 減肥 饮食 飲食 症状 症狀 睡眠 流感 健身
        糖尿病
    """,
    "sports": """
        nfl nba mlb nhl ncaa football basketball baseball hockey soccer quarterback touchdown coach coaches
        playoff playoffs season game team teams league player players win wins beat beats score championship
        champions tournament olympics olympic tennis golf ufc mma boxing wrestling athlete injury draft roster
        linebacker yankees lakers patriots cowboys packers steelers astros nationals warriors celtics rookie
        pitcher halftime defense offense touchdowns bowl receiver knicks eagles 49ers bears clippers fodbold kamp
        kampen landsholdet håndbold spiller spillere træner superliga brøndby topkampen cykling vm em sejr
        nederlag mål ol
        足球 篮球 籃球 比赛 比賽 冠军 冠軍 球队 球隊 球员 球員 教练 教練 联赛 聯賽 赛季 賽季 四分卫 四分衛 棒球
        网球 網球 奥运 奧運 决赛 決賽 世界杯 进球 進球 季后赛 季後賽 橄榄球 橄欖球
    """,
    "entertainment": """
        celebrity celebrities hollywood kardashian actor actress star stars fans gossip broadway comedian kendall
        jenner paparazzi disney oscars kendis kendte skuespiller skuespillerinde stjerne underholdning
        明星 好莱坞 好萊塢 演员 演員 名人 娱乐 娛樂 女星 影星 粉丝 粉絲
    """,
    "lifestyle": """
        royal royals queen prince princess duchess meghan markle kate harry fashion beauty style wedding
        relationship horoscope zodiac home decor decorating gift gifts shopping parenting marriage hair makeup
        dating christmas halloween cleaning kitchen dress kongehuset dronning dronningen kronprins kronprinsen
        mode bolig bryllup gaver julegaver parforhold livsstil
        时尚 時尚 王子 女王 王室 皇室 公爵夫人 婚礼 婚禮 星座 家居 美容 购物 購物 礼物 禮物 生活 感恩节 感恩節
    """,
    "travel": """
        travel traveler travelers airline airlines airport flight flights hotel hotels vacation tourist tourists
        destination destinations cruise island islands beach beaches resort passport hike hiking rejse rejser
        ferie sommerferie lufthavn flyselskab turister charter strand
        旅行 旅游 旅遊 航空 机场 機場 航班 酒店 游客 遊客 度假 景点 景點 海滩 海灘
    """,
    "food": """
        recipe recipes restaurant restaurants food foods cook cooking chef chicken dinner breakfast thanksgiving
        wine beer cake cookies cheese pizza burger mcdonald's starbucks coffee dessert soup pie pasta bacon
        chocolate casserole salad opskrift opskrifter mad kok vin øl kage aftensmad
        食谱 食譜 餐厅 餐廳 美食 食物 菜谱 菜譜 厨师 廚師 咖啡 晚餐 早餐 啤酒 蛋糕 鸡肉 雞肉 披萨 披薩
    """,
    "culture": """
        museum art artist painting exhibition theater theatre opera ballet novel author book books poet poetry
        literature heritage sculpture kunst udstilling teater bøger forfatter roman kultur
        文化 博物馆 博物館 艺术 藝術 画展 畫展 展览 展覽 小说 小說 作家 文学 文學 戏剧 戲劇 诗人 詩人
    """,
    "crime": """
        police murder murdered killed kill shooting shot arrested arrest suspect suspects charged court judge jury
        trial prison jail victim robbery stabbing stabbed homicide sheriff guilty convicted sentenced assault fbi
        gunman kidnapped deputies officer theft inmate missing politi politiet anholdt drab dræbt røveri fængsel
        dømt sigtet vold voldtægt retten knivstik krimi
        警方 警察 谋杀 謀殺 枪击 槍擊 嫌疑人 被捕 逮捕 法院 法官 监狱 監獄 受害者 抢劫 搶劫 杀害 殺害 判刑 指控
    """,
    "weather": """
        weather snow snowfall storm storms hurricane tornado rain rainfall forecast temperatures cold freezing
        flood floods flooding blizzard winter heatwave arctic wildfire wildfires winds frost thunderstorm vejr
        vejret sne regn glatte orkan oversvømmelse hedebølge kulde skybrud
        天气 天氣 下雪 暴雨 台风 颱風 飓风 颶風 降雨 气温 氣溫 洪水 寒潮 风暴 風暴 暴风雪 暴風雪 山火 野火
    """,
    "autos": """
        car cars truck trucks suv sedan ford chevrolet chevy toyota honda tesla bmw porsche mustang corvette
        engine horsepower vehicle vehicles motorcycle hybrid camaro jeep mercedes ferrari dodge bil biler elbil
        elbiler bilen motor trafik motorcykel
        汽车 汽車 轿车 轎車 电动车 電動車 卡车 卡車 特斯拉 丰田 豐田 福特 本田 奔驰 奔馳 宝马 寶馬 发动机 發動機
        车型 車型 摩托车 摩托車
    """,
    "video": """
        video videos watch footage viral clip videoer klip optagelser
        视频 視頻 录像 錄像 影片集
    """,
    "music": """
        music album song songs singer concert tour band rapper grammy grammys guitar taylor swift beyonce lyrics
        musik sang sanger sangerinde koncert festival
        音乐 音樂 歌手 专辑 專輯 演唱会 演唱會 歌曲 乐队 樂隊
    """,
    "movies": """
        movie movies film films director trailer sequel marvel avengers joker cinema screenplay biograf instruktør
        filmen
        电影 電影 导演 導演 票房 影院 预告片 預告片 续集 續集 漫威
    """,
    "tv": """
        tv television episode sitcom netflix hbo show series jeopardy host bachelor bachelorette dancing idol
        afsnit serie seer tv2 dr1
        电视 電視 剧集 劇集 综艺 綜藝 主持人 真人秀 电视剧 電視劇
    """,
    "education": """
        school schools student students teacher teachers university college campus education tuition classroom
        kids graduate scholarship skole skoler skolen elever lærer lærere universitet uddannelse studerende
        gymnasium
        学校 學校 学生 學生 教师 教師 大学 大學 教育 高考 校园 校園 课堂 課堂
    """,
    "environment": """
        climate emissions carbon environment environmental pollution wildlife conservation renewable endangered
        deforestation greenhouse recycling klima miljø udledning co2 forurening natur vindmøller
        气候 氣候 环境 環境 污染 碳排放 环保 環保 野生动物 野生動物 可再生
    """,
    "opinion": """
        opinion editorial column commentary letters leder kommentar debat debatindlæg kronik
        社论 社論 评论 評論 观点 觀點 专栏 專欄
    """,
    "local": """
        county neighborhood residents downtown street community local neighbors kommune kommunen beboere lokal
        社区 社區 居民 当地 當地 街道
    """,
    "games": """
        gaming videogame videogames playstation xbox nintendo fortnite minecraft esports gamers pokemon
        computerspil spilkonsol
        游戏 遊戲 电竞 電競 任天堂 玩家
    """,
}
