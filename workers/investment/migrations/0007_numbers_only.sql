-- NaN is greater than every number, so that "more than zero" let it in: one principal of NaN would have failed the
-- payout of everybody, and one rate of NaN left nobody of the plan with a balance. Ledger and wallets, which are large
-- and in use, are not looked through for what is there: a payout to such a wallet is refused, and parked.
ALTER TABLE investment.investment
    ADD CONSTRAINT is_a_number CHECK (principal <> 'NaN' AND paid_total <> 'NaN');
ALTER TABLE investment.plan
    ADD CONSTRAINT is_a_number CHECK (min_amount <> 'NaN' AND max_amount <> 'NaN');
ALTER TABLE investment.plan_rate
    ADD CONSTRAINT is_a_number CHECK (daily_rate <> 'NaN' AND cap_ratio <> 'NaN');
ALTER TABLE investment.commission_level ADD CONSTRAINT is_a_number CHECK (rate <> 'NaN');
ALTER TABLE investment.ledger ADD CONSTRAINT is_a_number CHECK (amount <> 'NaN') NOT VALID;
ALTER TABLE investment.wallet ADD CONSTRAINT is_a_number CHECK (balance <> 'NaN') NOT VALID;

-- The first list of those with other places was not all of them, and what is no currency of ISO 4217 (BTC has eight
-- places) was in none: so the ones that may be used are listed.
ALTER DOMAIN investment.currency ADD CONSTRAINT has_two_decimal_places CHECK (VALUE = ANY ('{
    AED,AFN,ALL,AMD,ANG,AOA,ARS,AUD,AWG,AZN,BAM,BBD,BDT,BGN,BMD,BND,BOB,BOV,BRL,BSD,BTN,BWP,BYN,BZD,CAD,CDF,CHE,CHF,
    CHW,CNY,COP,COU,CRC,CUC,CUP,CVE,CZK,DKK,DOP,DZD,EGP,ERN,ETB,EUR,FJD,FKP,GBP,GEL,GHS,GIP,GMD,GTQ,GYD,HKD,HNL,HRK,
    HTG,HUF,IDR,ILS,INR,IRR,JMD,KES,KGS,KHR,KPW,KYD,KZT,LAK,LBP,LKR,LRD,LSL,MAD,MDL,MGA,MKD,MMK,MNT,MOP,MRU,MUR,MVR,
    MWK,MXN,MXV,MYR,MZN,NAD,NGN,NIO,NOK,NPR,NZD,PAB,PEN,PGK,PHP,PKR,PLN,QAR,RON,RSD,RUB,SAR,SBD,SCR,SDG,SEK,SGD,SHP,
    SLE,SLL,SOS,SRD,SSP,STN,SVC,SYP,SZL,THB,TJS,TMT,TOP,TRY,TTD,TWD,TZS,UAH,USD,USN,UYU,UZS,VED,VES,WST,XCD,XCG,YER,
    ZAR,ZMW,ZWG,ZWL}')) NOT VALID;
